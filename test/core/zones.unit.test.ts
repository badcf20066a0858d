// Ids of zones: what is known of them without asking AWS.

import { expect, test } from 'vitest';
import {
  regionCode,
  usualZones,
  ZONE_ID,
  zoneNumber,
  ZONES_WITHOUT_LAMBDA,
} from '../../functions/core/zones.ts';

test.each([
  ['us-east-1', 'use1'],
  ['us-west-2', 'usw2'],
  ['eu-central-1', 'euc1'],
  ['ap-northeast-1', 'apne1'],
  ['ap-southeast-2', 'apse2'],
  ['ap-south-1', 'aps1'],
  ['ca-west-1', 'caw1'],
  ['sa-east-1', 'sae1'],
  ['mx-central-1', 'mxc1'],
  ['us-gov-west-1', 'usgw1'],
  ['cn-northwest-1', 'cnnw1'],
])('zones of %s begin with %s', (region, code) => {
  expect(regionCode(region)).toBe(code);
  for (const zone of usualZones(region)) {
    expect(zone).toMatch(ZONE_ID);
    expect(usualZones(region).filter((one) => zoneNumber(one) === zoneNumber(zone))).toEqual([zone]);
  }
});

test('the usual ones are enough for a full one, and the forwarder may be in them', () => {
  for (const region of ['us-east-1', 'us-west-1', 'eu-west-1']) {
    expect(usualZones(region).length).toBeGreaterThan(1);
    expect(usualZones(region).filter((zone) => ZONES_WITHOUT_LAMBDA.includes(zone))).toEqual([]);
  }
});
