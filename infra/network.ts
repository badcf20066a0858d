// The network of the GPU hosts and the forwarder. No NAT gateway and no interface endpoint: an idle deployment pays nothing.
// Hosts are in public subnets, because they fetch packages, and only the forwarder can reach them; the forwarder is in
// isolated subnets, whose only route is the DynamoDB endpoint.

import { Aws, Validations } from 'aws-cdk-lib';
import {
  CfnInternetGateway,
  type CfnSubnet,
  CfnVPCGatewayAttachment,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  Peer,
  Port,
  PrivateSubnet,
  PublicSubnet,
  SecurityGroup,
  type Subnet,
  type SubnetSelection,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { zoneNumber } from '../functions/core/zones.ts';

/** The port of a host's intake: HTTP inside the network, each offer signed with the host's own secret. */
export const INTAKE_PORT = 5002;

const NETWORK = '10.0.0.0/16';
/** A thousand hosts per zone. Ranges follow the zone's number and do not depend on other zones: see core/zones.ts. */
const hostRange = (zone: string) => `10.0.${4 * zoneNumber(zone)}.0/22`;
const forwarderRange = (zone: string) => `10.0.${128 + zoneNumber(zone)}.0/24`;

export class Network extends Construct {
  readonly vpc: Vpc;
  readonly hosts: SecurityGroup;
  readonly forwarder: SecurityGroup;
  readonly hostSubnets: SubnetSelection;
  readonly forwarderSubnets: SubnetSelection;

  /**
   * @param props.zones zone ids for hosts; adding or removing one moves no other
   * @param props.forwarderZones zone ids for the forwarder, which do not change
   * @param props.tables ARNs that the DynamoDB endpoint allows
   */
  constructor(
    scope: Construct,
    id: string,
    { zones, forwarderZones, tables }: { zones: string[]; forwarderZones: string[]; tables: string[] },
  ) {
    super(scope, id);
    this.vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(NETWORK),
      natGateways: 0,
      // CDK numbers subnets by their place in a list and knows zones by letter only: they are created below.
      subnetConfiguration: [],
      // No resource uses the default group, and emptying it takes a Lambda of CDK.
      restrictDefaultSecurityGroup: false,
    });
    this.hostSubnets = { subnets: this.#addHostSubnets(zones) };
    this.forwarderSubnets = { subnets: forwarderZones.map((zone) => this.#addForwarderSubnet(zone)) };
    this.hosts = new SecurityGroup(this, 'Hosts', {
      vpc: this.vpc,
      description: 'GPU hosts: offers from the forwarder in, packages and AWS out',
      allowAllOutbound: false,
    });
    this.forwarder = new SecurityGroup(this, 'Forwarder', {
      vpc: this.vpc,
      description: 'Forwarder: offers to GPU hosts and DynamoDB out, nothing in',
      allowAllOutbound: false,
    });
    this.#openDoors();
    this.#addEndpoints(tables);
    Validations.of(this.vpc).acknowledge({
      id: 'AwsSolutions-VPC7',
      reason:
        'Flow logs of a network whose only open port takes signed offers from one security group would record port scans and cost more than the stack does at zero.',
    });
  }

  #addHostSubnets(zones: string[]): Subnet[] {
    const gateway = new CfnInternetGateway(this, 'InternetGateway');
    const attachment = new CfnVPCGatewayAttachment(this, 'InternetGatewayAttachment', {
      vpcId: this.vpc.vpcId,
      internetGatewayId: gateway.ref,
    });
    return zones.map((zone) => {
      const subnet = new PublicSubnet(this, `hosts-${zone}`, {
        vpcId: this.vpc.vpcId,
        availabilityZone: zone,
        cidrBlock: hostRange(zone),
        mapPublicIpOnLaunch: true,
      });
      subnet.addDefaultInternetRoute(gateway.ref, attachment);
      return byId(subnet, zone);
    });
  }

  #addForwarderSubnet(zone: string): Subnet {
    const subnet = new PrivateSubnet(this, `forwarder-${zone}`, {
      vpcId: this.vpc.vpcId,
      availabilityZone: zone,
      cidrBlock: forwarderRange(zone),
    });
    return byId(subnet, zone);
  }

  #openDoors(): void {
    this.forwarder.connections.allowTo(this.hosts, Port.tcp(INTAKE_PORT), 'offers of jobs');
    // The forwarder's subnets route only to the endpoint, so this reaches only DynamoDB; naming its prefix list would need
    // a look-up in the account.
    this.forwarder.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'DynamoDB by its endpoint');
    this.hosts.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS, packages, Session Manager');
    this.hosts.addEgressRule(Peer.anyIpv4(), Port.tcp(80), 'the mirrors of Ubuntu');
  }

  #addEndpoints(tables: string[]): void {
    const dynamodb = this.vpc.addGatewayEndpoint('DynamoDb', {
      service: GatewayVpcEndpointAwsService.DYNAMODB,
      subnets: [this.hostSubnets, this.forwarderSubnets],
    });
    dynamodb.addToPolicy(
      new PolicyStatement({
        principals: [new AnyPrincipal()],
        actions: ['BatchGetItem', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'Scan', 'UpdateItem'].map(
          (action) => `dynamodb:${action}`,
        ),
        resources: tables,
      }),
    );
    const s3 = this.vpc.addGatewayEndpoint('S3', {
      service: GatewayVpcEndpointAwsService.S3,
      subnets: [this.hostSubnets],
    });
    // A compromised host cannot copy anything into a bucket of another account.
    s3.addToPolicy(
      new PolicyStatement({
        principals: [new AnyPrincipal()],
        actions: [
          's3:GetObject',
          's3:ListBucket',
          's3:PutObject',
          's3:AbortMultipartUpload',
          's3:ListMultipartUploadParts',
        ],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:ResourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    // Packages and Session Manager's agent are in buckets of other accounts.
    s3.addToPolicy(
      new PolicyStatement({ principals: [new AnyPrincipal()], actions: ['s3:GetObject'], resources: ['*'] }),
    );
  }
}

/** CDK names a subnet's zone by letter; CloudFormation also accepts a zone id. */
function byId(subnet: Subnet, zone: string): Subnet {
  const resource = subnet.node.defaultChild as CfnSubnet;
  resource.availabilityZone = undefined;
  resource.availabilityZoneId = zone;
  return subnet;
}
