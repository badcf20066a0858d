// The zones that offer the instance types of cdk.json. Auto Scaling refuses a whole group with a type that no zone offers,
// and a zone without any of the types offers no capacity.

import {
  DescribeAvailabilityZonesCommand,
  DescribeInstanceTypeOfferingsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { usualZones, ZONES_WITHOUT_LAMBDA } from '../../core/zones.ts';
import type { Deployment } from '../deployment.ts';
import { clientSettings } from './aws.ts';
import { type Finding, next, ok } from './check.ts';

/** A zone that is available to this account. */
export interface Zone {
  id: string;
  /** The account's name for the zone; zone names differ between accounts. */
  name: string;
  /** The types of cdk.json that the zone offers, in their order. */
  types: string[];
}

type Wanted = Pick<Deployment, 'region' | 'instanceTypes' | 'zones' | 'forwarderZones'>;

export async function readZones({ instanceTypes }: Wanted, region: string): Promise<Zone[]> {
  const client = new EC2Client(clientSettings(region));
  const [{ AvailabilityZones = [] }, { InstanceTypeOfferings = [] }] = await Promise.all([
    client.send(
      new DescribeAvailabilityZonesCommand({
        Filters: [
          { Name: 'zone-type', Values: ['availability-zone'] },
          { Name: 'state', Values: ['available'] },
        ],
      }),
    ),
    client.send(
      new DescribeInstanceTypeOfferingsCommand({
        LocationType: 'availability-zone-id',
        Filters: [{ Name: 'instance-type', Values: instanceTypes }],
      }),
    ),
  ]);
  return AvailabilityZones.map(({ ZoneId = '', ZoneName = '' }) => ({
    id: ZoneId,
    name: ZoneName,
    types: instanceTypes.filter((type) =>
      InstanceTypeOfferings.some(
        ({ InstanceType, Location }) => InstanceType === type && Location === ZoneId,
      ),
    ),
  })).sort((a, b) => a.id.localeCompare(b.id));
}

export function typesFinding(zones: readonly Zone[], { region, instanceTypes }: Wanted): Finding {
  const offered = instanceTypes.filter((type) => zones.some(({ types }) => types.includes(type)));
  if (offered.length === instanceTypes.length) return ok(`${region} offers ${instanceTypes.join(', ')}`);
  const absent = instanceTypes.filter((type) => !offered.includes(type)).join(', ');
  if (offered.length === 0)
    return next(`${region} offers none of ${absent}`, 'another region, or other instanceTypes, in cdk.json');
  return next(
    `${region} does not offer ${absent}: Auto Scaling would refuse the whole group`,
    `in cdk.json: "instanceTypes": ${JSON.stringify(offered)}`,
  );
}

export function zonesFinding(zones: readonly Zone[], wanted: Wanted): Finding {
  const { region, instanceTypes } = wanted;
  const hosts = wanted.zones.length > 0 ? wanted.zones : usualZones(region);
  const forwarder = wanted.forwarderZones.length > 0 ? wanted.forwarderZones : usualZones(region).slice(0, 2);
  const withLambda = zones.filter(({ id }) => !ZONES_WITHOUT_LAMBDA.includes(id));
  // Hosts need no Lambda in their zone: the forwarder reaches all zones.
  const fit = zones.filter(({ types }) => types.length > 0);
  const says = fit.map((zone) => toldOf(zone, instanceTypes, hosts.includes(zone.id))).join('; ');
  if (fit.length < 2)
    return next(
      `${says || 'none'}: hosts need two zones, so that a full one is not the end`,
      'other instanceTypes in cdk.json, then npm run doctor again',
    );
  const unfit = hosts.filter((id) => !fit.some((zone) => zone.id === id));
  const gone = forwarder.filter((id) => !withLambda.some((zone) => zone.id === id));
  if (unfit.length + gone.length === 0) return ok(says);
  const right = [
    ...(unfit.length > 0 ? [setting('zones', fit)] : []),
    ...(gone.length > 0 ? [setting('forwarderZones', withLambda.slice(0, 2))] : []),
  ];
  return next(
    `${says}; of no use here: ${[...new Set([...unfit, ...gone])].join(', ')}`,
    `in cdk.json: ${right.join(', ')}`,
  );
}

function toldOf({ id, name, types }: Zone, all: readonly string[], isUsed: boolean): string {
  const offers = types.length === all.length ? 'all types' : types.join(', ');
  return `${id} (${name}) ${offers}${isUsed ? '' : ', not used'}`;
}

function setting(name: string, zones: readonly Zone[]): string {
  return `"${name}": ${JSON.stringify(zones.map(({ id }) => id))}`;
}
