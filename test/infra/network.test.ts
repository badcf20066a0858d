// Who reaches whom: nobody from outside, hosts from the forwarder alone.

import { Match } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
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
  expect(tables).toHaveLength(2);
  for (const table of tables) expect(table).toContain('hostsSubnet');
  compute.hasResourceProperties('AWS::Lambda::Function', {
    FunctionName: 'comfyui-forwarder',
    VpcConfig: {
      SubnetIds: [
        { 'Fn::ImportValue': Match.stringLikeRegexp('forwarderSubnet1') },
        { 'Fn::ImportValue': Match.stringLikeRegexp('forwarderSubnet2') },
      ],
      SecurityGroupIds: [{ 'Fn::ImportValue': Match.stringLikeRegexp('NetworkForwarder') }],
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

test('zones that are named are taken, and the first two without', () => {
  const { gpuHosts: named } = templatesWith({ zones: ['us-east-1b', 'us-east-1c', 'us-east-1d'] });
  const zonesOf = (template: typeof named) =>
    new Set(
      Object.values(template.findResources('AWS::EC2::Subnet')).map(({ Properties }) =>
        JSON.stringify(Properties.AvailabilityZone),
      ),
    );
  expect([...zonesOf(named)]).toEqual(['"us-east-1b"', '"us-east-1c"', '"us-east-1d"']);
  expect([...zonesOf(gpuHosts)].every((zone) => zone.includes('Fn::GetAZs'))).toBe(true);
});

function statementsOf(service: string) {
  const [endpoint] = ofType('AWS::EC2::VPCEndpoint').filter(([, { Properties }]) =>
    JSON.stringify(Properties['ServiceName']).includes(service),
  );
  const { PolicyDocument } = endpoint![1].Properties as {
    PolicyDocument: { Statement: { Action: unknown; Resource: unknown[]; Condition?: unknown }[] };
  };
  return PolicyDocument.Statement;
}
