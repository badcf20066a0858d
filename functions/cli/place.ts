// Which deployment a command means: the flags --name and --region, else what cdk.json says. What no deployment can be
// called is refused before AWS is asked, which would answer in its own words.

import { CommandError } from './api.ts';

export interface Place {
  name: string;
  region: string;
}

/** As infra/settings.ts takes them. */
const NAME = /^[a-z][a-z0-9-]{0,18}[a-z0-9]$/;
const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;

/** @param flags as they were typed; @param flag the one of the name. @throws CommandError */
export function placeOf(
  { name, region }: { name?: string | undefined; region?: string | undefined },
  said: Place,
  flag = '--name',
): Place {
  if (name !== undefined && !NAME.test(name))
    throw new CommandError(
      `${flag} is that of a deployment, 2 to 20 small letters, digits and dashes; it is "${name}"`,
    );
  const place = { name: name ?? said.name, region: region ?? said.region };
  if (!REGION.test(place.region))
    throw new CommandError(
      `${region === undefined ? 'AWS_REGION' : '--region'} is one of AWS's, such as us-east-1; it is "${place.region}"`,
    );
  return place;
}
