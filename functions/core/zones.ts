// Availability zones of a region by id: use1-az4 is the same place in every account, us-east-1a differs between accounts.
// Whether an account may use a zone is for AWS to say. Pure.

/** An availability zone's id; those of local zones, which contain a city, do not match. */
export const ZONE_ID = /^[a-z]{3,6}\d-az([1-9]|1[0-5])$/;

/** The prefix of a region's zone ids: `use1` for us-east-1 (use1-az1), `apne1` for ap-northeast-1. */
export function regionCode(region: string): string {
  const [area, ...rest] = region.split('-');
  const number = rest.pop();
  const directions = rest.map(
    (word) => word[0] + (/^(?:north|south)(east|west)$/.exec(word)?.[1]?.[0] ?? ''),
  );
  return `${area}${directions.join('')}${number}`;
}

/** The number in a zone id: `use1-az4` → 4. */
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

/** The zones for hosts unless a person chooses others. */
export function usualZones(region: string): string[] {
  return (USUAL[region] ?? [1, 2, 3]).map((number) => `${regionCode(region)}-az${number}`);
}

/** Zones without Lambda in a VPC. Source: docs/facts.md, "Zones". */
export const ZONES_WITHOUT_LAMBDA = ['use1-az3'];
