// Which quotas the instance types draw on, and whether they are enough: asked of a fake of Service Quotas.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readDeployment } from '../../../functions/cli/deployment.ts';
import { gpuQuota } from '../../../functions/cli/doctor/quotas.ts';
import { type FakeAccount, startFakeAccount } from './fake-account.ts';

const region = 'us-east-1';
let account: FakeAccount;
const before = { ...process.env };
beforeAll(async () => {
  account = await startFakeAccount('http://127.0.0.1:1');
  process.env['AWS_ENDPOINT_URL_SERVICE_QUOTAS'] = process.env['AWS_ENDPOINT_URL_EC2'] = account.url;
  process.env['AWS_ACCESS_KEY_ID'] = process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
});
afterAll(async () => {
  process.env = before;
  await account.close();
});
beforeEach(() => {
  account.quotas = {};
  account.requests = [];
  // As DescribeInstanceTypes says.
  account.vcpus = {
    'g6e.2xlarge': 8,
    'g6e.4xlarge': 16,
    'g4dn.metal': 96,
    'p4d.24xlarge': 96,
    'p5.48xlarge': 192,
  };
});

const G = 'L-DB2E81BA';
const P = 'L-417A185B';
const deployment = async (more: object) => ({ ...(await readDeployment()), ...more });
const wish = (code: string, value: number) =>
  `aws service-quotas request-service-quota-increase --region us-east-1 --service-code ec2 --quota-code ${code} --desired-value ${value}`;

test('types of two families draw on two quotas, and what lacks of either is asked for', async () => {
  const two = await deployment({
    instanceTypes: ['g6e.2xlarge', 'p4d.24xlarge', 'g6e.4xlarge'],
    maxHosts: 2,
  });
  account.quotas = { [G]: 16 };
  expect(await gpuQuota(two, region, 'onDemand')).toEqual({
    kind: 'next',
    says: '16 vCPUs of G and VT: 2 of g6e.2xlarge or 1 of g6e.4xlarge; enough for maxHosts, 2; 0 vCPUs of P: 0 of p4d.24xlarge; maxHosts is 2',
    next: wish(P, 192),
  });
  account.quotas = { [G]: 16, [P]: 192 };
  expect((await gpuQuota(two, region, 'onDemand')).kind).toBe('ok');
  account.quotas = {};
  expect(await gpuQuota(two, region, 'onDemand')).toMatchObject({
    next: `${wish(G, 16)}; and ${wish(P, 192)}`,
  });
});

test('spot has quotas of its own, P5 one more, and on demand is drawn on where spot is not to be had', async () => {
  const spot = await deployment({ instanceTypes: ['g6e.2xlarge', 'p5.48xlarge'], maxHosts: 1, spot: true });
  account.quotas = { 'L-3819A6DF': 8, 'L-C4BD4855': 0 };
  expect(await gpuQuota(spot, region, 'spot')).toMatchObject({ kind: 'next', next: wish('L-C4BD4855', 192) });
  const onDemand = await gpuQuota({ ...spot, instanceTypes: ['g6e.2xlarge'] }, region, 'onDemand');
  expect(onDemand).toEqual({
    kind: 'next',
    says: '0 vCPUs of G and VT: 0 of g6e.2xlarge; maxHosts is 1, and on demand starts where no spot is to be had',
    next: wish(G, 8),
  });
  expect(await gpuQuota({ ...spot, spot: false }, region, 'spot')).toMatchObject({ kind: 'ok' });
});

test('bare metal has as many as AWS says, and a type that the region has not is none to count', async () => {
  const metal = await deployment({ instanceTypes: ['g7e.2xlarge', 'g4dn.metal'], maxHosts: 2 });
  account.quotas = { [G]: 96 };
  expect(await gpuQuota(metal, region, 'onDemand')).toEqual({
    kind: 'next',
    says: '96 vCPUs of G and VT: 1 of g4dn.metal; maxHosts is 2',
    next: wish(G, 192),
  });
  account.vcpus = {};
  expect(await gpuQuota(metal, region, 'onDemand')).toEqual({
    kind: 'not checked',
    says: 'us-east-1 offers none of the instance types',
  });
});
