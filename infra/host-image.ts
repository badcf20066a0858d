// The hosts' own machine image, off by default: EC2 Image Builder installs on AWS's image what a host would install at boot.
// `npm run image` builds it and writes its id into the parameter from which hosts are launched; until then the parameter
// holds AWS's image. Models are not in it: a volume created from an image is slower than fetching them.

import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { ManagedPolicy, InstanceProfile, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  CfnComponent,
  CfnDistributionConfiguration,
  CfnImagePipeline,
  CfnImageRecipe,
  CfnInfrastructureConfiguration,
} from 'aws-cdk-lib/aws-imagebuilder';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import type { ModelsBucket } from './buckets.ts';
import { hostImageParameter } from './names.ts';
import type { Network } from './network.ts';
import type { Settings } from './settings.ts';
import { releaseOf, userData } from './user-data.ts';

export interface HostImageProps {
  settings: Settings;
  network: Network;
  models: ModelsBucket;
  bundle: Asset;
  /** The user data template of the hosts. */
  template: string;
  /** The release that hosts run; another release means another image. */
  release: string;
}

/** Without a GPU: the build unpacks PyTorch but does not run it. */
const INSTANCE_TYPE = 'c7i.xlarge';

export class HostImage extends Construct {
  readonly pipelineArn: string;

  constructor(scope: Construct, id: string, props: HostImageProps) {
    super(scope, id);
    const { settings, network, release } = props;
    const role = this.#role(props);
    const profile = new InstanceProfile(this, 'Profile', { role });
    const named = `${settings.name}-gpu-host`;

    // Image Builder updates neither resource in place; a replacement needs another name.
    const component = new CfnComponent(this, 'Component', {
      name: `${named}-${release}`,
      version: '1.0.0',
      platform: 'Linux',
      data: this.#document(role, props),
    });
    const recipe = new CfnImageRecipe(this, 'Recipe', {
      name: `${named}-${releaseOf(release, settings.amiParameter, String(settings.rootGb))}`,
      version: '1.0.0',
      parentImage: `ssm:${settings.amiParameter}`,
      components: [{ componentArn: component.attrArn }],
      blockDeviceMappings: [
        {
          deviceName: '/dev/sda1',
          ebs: {
            volumeSize: settings.rootGb,
            volumeType: 'gp3',
            encrypted: true,
            deleteOnTermination: true,
          },
        },
      ],
    });
    const infrastructure = new CfnInfrastructureConfiguration(this, 'Infrastructure', {
      name: named,
      instanceProfileName: profile.instanceProfileName,
      instanceTypes: [INSTANCE_TYPE],
      subnetId: network.vpc.selectSubnets(network.hostSubnets).subnetIds[0]!,
      securityGroupIds: [network.hosts.securityGroupId],
      terminateInstanceOnFailure: true,
      instanceMetadataOptions: { httpTokens: 'required', httpPutResponseHopLimit: 1 },
    });
    const distribution = new CfnDistributionConfiguration(this, 'Distribution', {
      name: named,
      distributions: [
        {
          region: settings.region,
          // CDK passes it through unchanged.
          amiDistributionConfiguration: { Name: `${named} {{ imagebuilder:buildDate }}` },
        },
      ],
    });
    const pipeline = new CfnImagePipeline(this, 'Pipeline', {
      name: named,
      imageRecipeArn: recipe.attrArn,
      infrastructureConfigurationArn: infrastructure.attrArn,
      distributionConfigurationArn: distribution.attrArn,
      // Image tests would start a second machine only to see that the first one boots.
      imageTestsConfiguration: { imageTestsEnabled: false },
    });
    this.pipelineArn = pipeline.attrArn;
    this.#beginWithTheirs(settings);
  }

  #role({ models, bundle }: HostImageProps): Role {
    const managed = ['EC2InstanceProfileForImageBuilder', 'AmazonSSMManagedInstanceCore'];
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      description: 'Installs ComfyUI on the image of the GPU hosts',
      managedPolicies: managed.map((name) => ManagedPolicy.fromAwsManagedPolicyName(name)),
    });
    for (const name of managed)
      Validations.of(role).acknowledge({
        id: `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${name}]`,
        reason:
          'Image Builder documents these two policies as what its machine needs; the machine runs nothing but the installation and ends with it.',
      });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [bundle.bucket.arnForObjects(bundle.s3ObjectKey)],
      }),
    );
    models.allow(role, { GetObject: ['archives'] });
    return role;
  }

  /** The script for Image Builder's agent: the hosts' user data, which ends with boot/image.sh. JSON is valid YAML. */
  #document(role: Role, { settings, models, bundle, template }: HostImageProps): string {
    const script = userData(template, {
      BOOT: 'image',
      ...models.allow(role, {}),
      AWS_REGION: settings.region,
      COMFYUI_VERSION: settings.comfyuiVersion,
      HOST_ASSET: `s3://${bundle.s3BucketName}/${bundle.s3ObjectKey}`,
    });
    // The agent would read such braces as its own parameters.
    if (script.includes('{{')) throw new Error('infra/host/user-data.sh must not have {{ in it.');
    return Stack.of(this).toJsonString({
      name: 'comfyui-gpu-host',
      schemaVersion: '1.0',
      phases: [
        {
          name: 'build',
          steps: [{ name: 'Install', action: 'ExecuteBash', inputs: { commands: [script] } }],
        },
      ],
    });
  }

  /**
   * The parameter is created once, and no deployment changes it again: a CloudFormation resource would restore AWS's image
   * whenever that has a new id.
   */
  #beginWithTheirs({ name, amiParameter }: Settings): void {
    const parameter = hostImageParameter(name);
    const arn = Stack.of(this).formatArn({
      service: 'ssm',
      resource: 'parameter',
      resourceName: parameter.slice(1),
    });
    const call = new AwsCustomResource(this, 'Parameter', {
      onCreate: {
        service: 'ssm',
        action: 'PutParameter',
        parameters: {
          Name: parameter,
          Type: 'String',
          DataType: 'aws:ec2:image',
          Value: StringParameter.valueForStringParameter(this, amiParameter),
        },
        physicalResourceId: PhysicalResourceId.of(parameter),
        ignoreErrorCodesMatching: 'ParameterAlreadyExists',
      },
      onDelete: {
        service: 'ssm',
        action: 'DeleteParameter',
        parameters: { Name: parameter },
        ignoreErrorCodesMatching: 'ParameterNotFound',
      },
      installLatestAwsSdk: false,
      logGroup: new LogGroup(this, 'ParameterLogs', {
        retention: RetentionDays.ONE_MONTH,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
      policy: AwsCustomResourcePolicy.fromStatements([
        new PolicyStatement({ actions: ['ssm:PutParameter', 'ssm:DeleteParameter'], resources: [arn] }),
        // Required for writing a parameter that holds an image id.
        new PolicyStatement({ actions: ['ec2:DescribeImages'], resources: ['*'] }),
      ]),
    });
    Validations.of(call).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'AWS offers no resource for ec2:DescribeImages, which writing a parameter with an image id requires.',
    });
  }
}
