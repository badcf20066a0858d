// The network of the GPU hosts and the forwarder. No NAT gateway and no interface endpoint: what sleeps costs nothing.
// Hosts sit in public subnets, for they fetch packages, and nothing reaches them but the forwarder; the forwarder sits
// in isolated subnets, whose only way out is the endpoint of DynamoDB.

import { Aws, Validations } from 'aws-cdk-lib';
import {
  GatewayVpcEndpointAwsService,
  IpAddresses,
  Peer,
  Port,
  SecurityGroup,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

/** Of a host's intake: HTTP inside the network, each offer signed with the host's own secret. */
export const INTAKE_PORT = 5002;

export class Network extends Construct {
  readonly vpc: Vpc;
  readonly hosts: SecurityGroup;
  readonly forwarder: SecurityGroup;
  readonly hostSubnets: SubnetSelection = { subnetType: SubnetType.PUBLIC };
  readonly forwarderSubnets: SubnetSelection = { subnetType: SubnetType.PRIVATE_ISOLATED };

  /** @param props.tables ARNs that the endpoint of DynamoDB lets through */
  constructor(scope: Construct, id: string, { zones, tables }: { zones: string[]; tables: string[] }) {
    super(scope, id);
    this.vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr('10.0.0.0/16'),
      natGateways: 0,
      // Named ones need no look-up; without them CloudFormation takes the first two that it finds.
      ...(zones.length > 0 ? { availabilityZones: zones } : { maxAzs: 2 }),
      subnetConfiguration: [
        { name: 'hosts', subnetType: SubnetType.PUBLIC, cidrMask: 22, mapPublicIpOnLaunch: true },
        { name: 'forwarder', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
      ],
      // Nothing of ours is in the default group, and emptying it takes a Lambda of CDK's own.
      restrictDefaultSecurityGroup: false,
    });
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

  #openDoors(): void {
    this.forwarder.connections.allowTo(this.hosts, Port.tcp(INTAKE_PORT), 'offers of jobs');
    // Their subnets have no route but the endpoint's, so this reaches DynamoDB and nothing else; to name its prefix
    // list would take a look-up in the account.
    this.forwarder.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'DynamoDB by its endpoint');
    this.hosts.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS, packages, Session Manager');
    this.hosts.addEgressRule(Peer.anyIpv4(), Port.tcp(80), 'the mirrors of Ubuntu');
  }

  #addEndpoints(tables: string[]): void {
    const dynamodb = this.vpc.addGatewayEndpoint('DynamoDb', {
      service: GatewayVpcEndpointAwsService.DYNAMODB,
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
    // Whoever takes over a host cannot carry anything into a bucket of another account.
    s3.addToPolicy(
      new PolicyStatement({
        principals: [new AnyPrincipal()],
        actions: ['s3:GetObject', 's3:ListBucket', 's3:PutObject', 's3:AbortMultipartUpload'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:ResourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    // Packages, and Session Manager's agent, lie in buckets of others.
    s3.addToPolicy(
      new PolicyStatement({ principals: [new AnyPrincipal()], actions: ['s3:GetObject'], resources: ['*'] }),
    );
  }
}
