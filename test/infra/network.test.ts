// Who reaches whom: nobody from outside, hosts from the forwarder alone.

import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { tables } from '../../functions/store/tables.ts';
import { resourcesOf, templatesWith } from './synth.ts';

const templates = templatesWith();
const { gpuHosts, compute } = templates;
const all = resourcesOf(templates);
const ofType = (...types: string[]) => all.filter(([, { Type }]) => types.includes(Type));

test('nothing is open to the world', () => {
  const rules = ofType('AWS::EC2::SecurityGroup', 'AWS::EC2::SecurityGroupIngress').flatMap(
    ([, { Type, Properties }]) =>
      Type.endsWith('Ingress') ? [Properties] : ((Properties['SecurityGroupIngress'] as object[]) ?? []),
  );
  expect(rules).toHaveLength(1);
  expect(JSON.stringify(rules)).not.toMatch(/0\.0\.0\.0\/0|::\/0|CidrIp|PrefixList/);
});

test('the one open port is the intake, for the forwarder', () => {
  gpuHosts.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
    FromPort: 5002,
    ToPort: 5002,
    IpProtocol: 'tcp',
    GroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^NetworkHosts'), 'GroupId'] },
    SourceSecurityGroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^NetworkForwarder'), 'GroupId'] },
  });
});

test('no group lets everything out', () => {
  for (const [, { Properties }] of ofType('AWS::EC2::SecurityGroup')) {
    const out = Properties['SecurityGroupEgress'] as { IpProtocol: string; FromPort: number }[];
    for (const rule of out)
      expect([rule.IpProtocol, [80, 443].includes(rule.FromPort)]).toEqual(['tcp', true]);
  }
});

test('there is no NAT gateway, no address that is paid for, and no endpoint by the hour', () => {
  expect(ofType('AWS::EC2::NatGateway', 'AWS::EC2::EIP')).toEqual([]);
  const endpoints = ofType('AWS::EC2::VPCEndpoint').map(
    ([, { Properties }]) => Properties['VpcEndpointType'],
  );
  expect(endpoints).toEqual(['Gateway', 'Gateway']);
});

test("the forwarder's subnets have no route to the internet", () => {
  const tables = ofType('AWS::EC2::Route').map(([, { Properties }]) =>
    JSON.stringify(Properties['RouteTableId']),
  );
  expect(tables).toHaveLength(4);
  for (const table of tables) expect(table).toContain('Networkhosts');
  compute.hasResourceProperties('AWS::Lambda::Function', {
    FunctionName: 'comfyui-forwarder',
    VpcConfig: {
      SubnetIds: [readFrom('Networkforwarderuse1az1'), readFrom('Networkforwarderuse1az2')],
      SecurityGroupIds: [readFrom('NetworkForwarder')],
    },
  });
});

test('the endpoint of DynamoDB lets through items of our tables and nothing else', () => {
  const [statement] = statementsOf('.dynamodb');
  expect(statement?.Action).toEqual(expect.not.arrayContaining([expect.stringMatching(/\*|Table/)]));
  expect(JSON.stringify(statement?.Resource)).not.toContain('*');
  expect(statement?.Resource).toHaveLength(tables.flatMap(({ indexes }) => ['table', ...indexes]).length);
});

test('the endpoint of S3 carries nothing into buckets of another account', () => {
  for (const { Action, Condition } of statementsOf('.s3')) {
    if (JSON.stringify(Action) === '"s3:GetObject"') continue;
    expect(Condition).toEqual({ StringEquals: { 'aws:ResourceAccount': { Ref: 'AWS::AccountId' } } });
  }
});

test('the endpoint of S3 lets an upload in parts begin, go on and be broken off', () => {
  const [statement] = statementsOf('.s3');
  expect(statement?.Action).toEqual(
    expect.arrayContaining(['s3:PutObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload']),
  );
});

describe('zones', () => {
  type Subnet = { AvailabilityZoneId: string; CidrBlock: string };
  const subnetsOf = ({ gpuHosts }: typeof templates): [id: string, zone: string, range: string][] =>
    Object.entries(gpuHosts.findResources('AWS::EC2::Subnet')).map(([id, { Properties }]) => {
      const { AvailabilityZoneId, CidrBlock } = Properties as Subnet;
      return [id, AvailabilityZoneId, CidrBlock];
    });
  const zonesOfHosts = (of: typeof templates) =>
    subnetsOf(of).flatMap(([id, zone]) => (id.startsWith('Networkhosts') ? [zone] : []));

  test('are four, by ids that mean the same in every account, and none is without Lambda', () => {
    expect(zonesOfHosts(templates)).toEqual(['use1-az1', 'use1-az2', 'use1-az4', 'use1-az6']);
    expect(JSON.stringify(gpuHosts.toJSON())).not.toMatch(/Fn::GetAZs|"AvailabilityZone":/);
    expect(subnetsOf(templates).map(([, zone]) => zone)).not.toContain('use1-az3');
  });

  test.each([
    ['eu-central-1', ['euc1-az1', 'euc1-az2', 'euc1-az3']],
    ['us-west-1', ['usw1-az1', 'usw1-az3']],
  ])('are the usual ones in %s, without a word', (region, usual) => {
    expect(zonesOfHosts(templatesWith({ region }))).toEqual(usual);
  });

  test('where Lambda has none, hosts may be and the forwarder is not', () => {
    const named = templatesWith({ zones: ['use1-az1', 'use1-az3'] });
    expect(zonesOfHosts(named)).toEqual(['use1-az1', 'use1-az3']);
    expect(subnetsOf(named).filter(([id, zone]) => id.includes('forwarder') && zone === 'use1-az3')).toEqual(
      [],
    );
  });

  test('come and go: no range of another moves, and nothing that another stack reads changes', () => {
    const ids = ['use1-az1', 'use1-az2', 'use1-az3', 'use1-az4', 'use1-az5', 'use1-az6'];
    const lists = [['use1-az2', 'use1-az4'], ['use1-az1', 'use1-az4'], ids, ids.toReversed()];
    const all = lists.map((zones) => templatesWith({ zones }));
    const ranges = new Map<string, string>();
    for (const [id, zone, range] of all.flatMap(subnetsOf)) {
      const now = `${id} ${zone} ${range}`;
      const of = `${id.includes('forwarder')} ${zone}`;
      expect(ranges.get(of) ?? now).toBe(now);
      ranges.set(of, now);
    }
    expect(new Set([...ranges.values()].map((one) => one.split(' ')[2])).size).toBe(ids.length + 2);
    const computes = all.map((one) => JSON.stringify(one.compute.toJSON()));
    expect(new Set(computes).size).toBe(1);
    for (const { gpuHosts: template } of all)
      expect(
        Object.entries(template.findOutputs('*')).filter(([id]) => computes[0]!.includes(`"${id}"`)),
      ).toEqual(Object.entries(gpuHosts.findOutputs('*')).filter(([id]) => computes[0]!.includes(`"${id}"`)));
  });

  test('their ranges do not overlap', () => {
    const numberOf = (address: string) =>
      address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    const zones = Array.from({ length: 15 }, (_, n) => `use1-az${n + 1}`);
    const forwarderZones = zones.filter((zone) => zone !== 'use1-az3');
    const spans = subnetsOf(templatesWith({ zones, forwarderZones }))
      .map(([, , range]) => {
        const [address, bits] = range.split('/') as [string, string];
        return { from: numberOf(address), to: numberOf(address) + 2 ** (32 - Number(bits)) };
      })
      .toSorted((a, b) => a.from - b.from);
    expect(spans).toHaveLength(29);
    spans.slice(1).forEach(({ from }, n) => expect(from).toBeGreaterThanOrEqual(spans[n]!.to));
    expect(spans.at(-1)!.to).toBeLessThanOrEqual(numberOf('10.1.0.0'));
  });
});

test('no stack exports anything: what another imports could not change', () => {
  for (const template of Object.values(templates)) {
    const text = JSON.stringify((template as Template).toJSON());
    expect(text).not.toMatch(/"Export"|Fn::ImportValue/);
  }
});

/** Another stack's output, read by name at each deployment. */
function readFrom(output: string) {
  return { 'Fn::GetStackOutput': Match.objectLike({ OutputName: Match.stringLikeRegexp(output) }) };
}

function statementsOf(service: string) {
  const [endpoint] = ofType('AWS::EC2::VPCEndpoint').filter(([, { Properties }]) =>
    JSON.stringify(Properties['ServiceName']).includes(service),
  );
  const { PolicyDocument } = endpoint![1].Properties as {
    PolicyDocument: { Statement: { Action: unknown; Resource: unknown[]; Condition?: unknown }[] };
  };
  return PolicyDocument.Statement;
}
