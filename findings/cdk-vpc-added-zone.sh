#!/usr/bin/env bash
# aws-cdk-lib 2.276.0, Vpc: a zone added to the list of zones, and the ranges of the subnets that were there.
#
# A subnet's range cannot change in place: CloudFormation makes a new subnet first, whose range must not overlap with one that is
# still there.
#
# Guess before running: a zone at the end of the list leaves the ranges of the others alone; one at the front moves them.
# Seen: the end of the list is no better. Ranges are counted group by group, so that the new zone's subnet of the first group
# takes the range of what the second group had: its subnets move, and one range now belongs to another subnet than before.
# `reservedAzs` keeps room for zones to come, and does what was guessed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund aws-cdk-lib@2.276.0 constructs@10.8.1
cat >try.mjs <<'JS'
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { IpAddresses, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';

const ranges = (availabilityZones, more = {}) => {
  const stack = new Stack(new App(), 'S', { env: { region: 'us-east-1', account: '123456789012' } });
  new Vpc(stack, 'Vpc', {
    ipAddresses: IpAddresses.cidr('10.0.0.0/16'),
    availabilityZones,
    natGateways: 0,
    subnetConfiguration: [
      { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 24 },
      { name: 'isolated', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
    ],
    ...more,
  });
  const subnets = Object.values(Template.fromStack(stack).findResources('AWS::EC2::Subnet'));
  return new Map(
    subnets.map(({ Properties: { AvailabilityZone, CidrBlock, Tags } }) => [
      `${Tags.find(({ Key }) => Key === 'aws-cdk:subnet-name').Value} ${AvailabilityZone.at(-1)}`,
      CidrBlock,
    ]),
  );
};
const zones = (letters) => [...letters].map((letter) => `us-east-1${letter}`);
const compare = (what, before, after) => {
  const moved = [...before].filter(([name, range]) => after.get(name) !== range).map(([name, range]) => `${name} ${range} -> ${after.get(name)}`);
  console.log(`${what}: ${moved.join(', ') || 'none moves'}`);
};
compare('c after a, b', ranges(zones('ab')), ranges(zones('abc')));
compare('c before a, b', ranges(zones('ab')), ranges(zones('cab')));
compare('c after a, b, of which one was reserved', ranges(zones('ab'), { reservedAzs: 1 }), ranges(zones('abc')));
JS
seen=$(node try.mjs)
echo "aws-cdk-lib 2.276.0"
echo "$seen"
[ "$seen" = 'c after a, b: isolated a 10.0.2.0/24 -> 10.0.3.0/24, isolated b 10.0.3.0/24 -> 10.0.4.0/24
c before a, b: public a 10.0.0.0/24 -> 10.0.1.0/24, public b 10.0.1.0/24 -> 10.0.2.0/24, isolated a 10.0.2.0/24 -> 10.0.4.0/24, isolated b 10.0.3.0/24 -> 10.0.5.0/24
c after a, b, of which one was reserved: none moves' ]
