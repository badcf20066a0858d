// The zones of a region by their ids: use1-az4 is the same place in every account, us-east-1a is another one in each.
// Knows names and what is known of places; whether an account may use one is for AWS to say. Pure.

/** Of an availability zone. Those of local zones, which have a city in them, are none. */
export const ZONE_ID = /^[a-z]{3,6}\d-az([1-9]|1[0-5])$/;

/** What the ids of its zones begin with: us-east-1 has use1-az1, ap-northeast-1 has apne1-az1. */
export function regionCode(region: string): string {
  const [area, ...rest] = region.split('-');
  const number = rest.pop();
  const directions = rest.map(
    (word) => word[0] + (/^(?:north|south)(east|west)$/.exec(word)?.[1]?.[0] ?? ''),
  );
  return `${area}${directions.join('')}${number}`;
}

/** Counted by AWS from 1, and never another's. */
export function zoneNumber(zone: string): number {
  return Number(ZONE_ID.exec(zone)![1]);
}

/** Which zones a new account has, where these are not the first three. Source: docs/facts.md, "Zones". */
const USUAL: Record<string, number[]> = {
  'us-east-1': [1, 2, 4, 6],
  'us-west-1': [1, 3],
  'us-west-2': [1, 2, 3, 4],
  'ap-northeast-1': [1, 2, 4],
  'ap-northeast-2': [1, 2, 3, 4],
  'ca-central-1': [1, 2, 4],
};

/** Where hosts may be unless a person says otherwise. */
export function usualZones(region: string): string[] {
  return (USUAL[region] ?? [1, 2, 3]).map((number) => `${regionCode(region)}-az${number}`);
}

/** Lambda has no functions with a network there. Source: docs/facts.md, "Zones". */
export const ZONES_WITHOUT_LAMBDA = ['use1-az3'];
