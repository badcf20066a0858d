// The deployment of a command: the flags --name and --region, else cdk.json. Refuses what cannot name a deployment before
// AWS does so in its own words.

import { flag, type Kind } from './flags.ts';

export interface Place {
  name: string;
  region: string;
}

/** The same patterns as in infra/settings.ts. */
const matching = (pattern: RegExp, must: string): Kind<string> => ({
  must,
  read: (text) => (pattern.test(text) ? text : undefined),
});
export const NAME = matching(
  /^[a-z][a-z0-9-]{0,18}[a-z0-9]$/,
  'be that of a deployment, 2 to 20 small letters, digits and dashes',
);
export const REGION = matching(/^[a-z]{2}(-[a-z]+)+-\d$/, "be one of AWS's regions, such as us-east-1");

const otherwise = 'as cdk.json says';
export const placeFlags = {
  name: flag(NAME, 'NAME', 'of the deployment', { otherwise }),
  region: flag(REGION, 'REGION', 'its region', { otherwise }),
};

export function placeOf(given: { [Key in keyof Place]?: string | undefined }, said: Place): Place {
  return { name: given.name ?? said.name, region: given.region ?? said.region };
}
