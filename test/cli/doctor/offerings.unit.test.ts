// What the doctor makes of the zones in which AWS offers the instance types.

import { describe, expect, test } from 'vitest';
import { typesFinding, type Zone, zonesFinding } from '../../../functions/cli/doctor/offerings.ts';

const wanted = {
  region: 'us-east-1',
  instanceTypes: ['g6e.2xlarge', 'g7e.2xlarge'],
  zones: [] as string[],
  forwarderZones: [] as string[],
};
const zone = (number: number, letter: string, types: string[]): Zone => ({
  id: `use1-az${number}`,
  name: `us-east-1${letter}`,
  types,
});
const both = wanted.instanceTypes;
const account = [
  zone(1, 'c', both),
  zone(2, 'd', both),
  zone(3, 'e', ['g6e.2xlarge']),
  zone(4, 'a', ['g6e.2xlarge']),
  zone(5, 'f', ['g6e.2xlarge']),
  zone(6, 'b', both),
];

describe('zones', () => {
  test('are listed with what each offers, those without Lambda too', () => {
    expect(zonesFinding(account, wanted)).toEqual({
      kind: 'ok',
      says: 'use1-az1 (us-east-1c) all types; use1-az2 (us-east-1d) all types; use1-az3 (us-east-1e) g6e.2xlarge, not used; use1-az4 (us-east-1a) g6e.2xlarge; use1-az5 (us-east-1f) g6e.2xlarge, not used; use1-az6 (us-east-1b) all types',
    });
  });

  test('of no use are named, with the setting to paste', () => {
    const few = account.map((one) => (one.id === 'use1-az4' ? { ...one, types: [] } : one));
    expect(zonesFinding(few, wanted)).toMatchObject({
      kind: 'next',
      says: expect.stringMatching(/; of no use here: use1-az4$/),
      next: 'in cdk.json: "zones": ["use1-az1","use1-az2","use1-az3","use1-az5","use1-az6"]',
    });
  });

  test('without Lambda are for hosts, not for the forwarder', () => {
    expect(zonesFinding(account, { ...wanted, zones: ['use1-az3', 'use1-az1'] })).toMatchObject({
      kind: 'ok',
    });
    const forwarderZones = ['use1-az3', 'use1-az1'];
    expect(zonesFinding(account, { ...wanted, forwarderZones })).toMatchObject({
      next: 'in cdk.json: "forwarderZones": ["use1-az1","use1-az2"]',
    });
  });

  test("that the account does not have are named for the forwarder's sake too", () => {
    expect(zonesFinding(account.slice(1), wanted)).toMatchObject({
      kind: 'next',
      says: expect.stringMatching(/of no use here: use1-az1$/),
      next: 'in cdk.json: "zones": ["use1-az2","use1-az3","use1-az4","use1-az5","use1-az6"], "forwarderZones": ["use1-az2","use1-az4"]',
    });
  });

  test('need two that offer something', () => {
    const one = account.map((each) => (each.id === 'use1-az1' ? each : { ...each, types: [] }));
    expect(zonesFinding(one, wanted)).toMatchObject({
      kind: 'next',
      says: expect.stringContaining('hosts need two zones'),
    });
  });
});

test('a type that is offered nowhere is to go', () => {
  expect(typesFinding(account, wanted)).toMatchObject({ kind: 'ok' });
  const old = account.map((each) => ({ ...each, types: ['g6e.2xlarge'] }));
  expect(typesFinding(old, wanted)).toEqual({
    kind: 'next',
    says: 'us-east-1 does not offer g7e.2xlarge: Auto Scaling would refuse the whole group',
    next: 'in cdk.json: "instanceTypes": ["g6e.2xlarge"]',
  });
  expect(typesFinding([], wanted)).toMatchObject({ next: expect.stringContaining('another region') });
});
