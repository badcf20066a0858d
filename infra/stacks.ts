// The three stacks and what each passes to the next: data that must never be lost, resources paid by the hour, and resources
// paid by the request. Composes constructs; reads only the given settings.

import { type App, CfnOutput, Stack, Tags } from 'aws-cdk-lib';
import { join } from 'node:path';
import { Alarms } from './alarms.ts';
import { Api } from './api.ts';
import { FailedRecords } from './waiting-jobs-stream.ts';
import { ImagesBucket, ModelsBucket } from './buckets.ts';
import { Budget } from './budget.ts';
import { Controller } from './controller.ts';
import { Dashboard } from './dashboard.ts';
import { Forwarder } from './forwarder.ts';
import { Endpoint } from './endpoint.ts';
import { GpuHosts } from './gpu-hosts.ts';
import { groupName } from './names.ts';
import { Network } from './network.ts';
import { GeneratedSecret } from './secrets.ts';
import type { Settings } from './settings.ts';
import { Tables } from './tables.ts';
import { Webhooks } from './webhooks.ts';

export interface Bundles {
  /** The folder with `lambda/<service>/index.mjs` and `host/`, as build.mjs creates it. */
  built: string;
  /** infra/host/user-data.sh. */
  script: string;
}

export interface Stacks {
  stateful: Stack;
  gpuHosts: Stack;
  compute: Stack;
}

export function addStacks(app: App, settings: Settings, bundles: Bundles): Stacks {
  const { name } = settings;
  // No account: synthesis makes no calls to AWS, and `cdk deploy` uses the caller's account.
  const stack = (id: string, description: string) =>
    new Stack(app, `${name}-${id}`, { env: { region: settings.region }, description });
  // CloudFormation accepts no tags on a dashboard.
  Tags.of(app).add('project', name, { excludeResourceTypes: ['AWS::CloudWatch::Dashboard'] });

  const stateful = stack('stateful', 'ComfyUI API: tables and buckets, which stay when all else goes');
  const tables = new Tables(stateful, 'Tables', { name });
  const images = new ImagesBucket(stateful, 'Images', settings);
  const models = new ModelsBucket(stateful, 'Models', { name });

  const gpuHosts = stack('gpu-hosts', 'ComfyUI API: network and GPU hosts, none while nothing waits');
  const network = new Network(gpuHosts, 'Network', {
    zones: settings.zones,
    forwarderZones: settings.forwarderZones,
    tables: tables.arnsFor(gpuHosts),
  });
  const { release, buildCommand, seedSubnet, image } = new GpuHosts(gpuHosts, 'GpuHosts', {
    settings,
    network,
    tables,
    images,
    models,
    bundle: join(bundles.built, 'host'),
    script: bundles.script,
  });

  const compute = stack('compute', 'ComfyUI API: endpoint, api, forwarder, controller, webhooks, alarms');
  const bundle = (service: string) => join(bundles.built, 'lambda', service);
  const failed = new FailedRecords(compute, 'FailedRecords');
  const originSecret =
    settings.endpoint === 'cloudfront'
      ? new GeneratedSecret(compute, 'OriginSecret', {
          description: 'What CloudFront adds to every request to the API',
          settings,
        })
      : undefined;
  const api = new Api(compute, 'Api', { settings, tables, images, bundle: bundle('api'), originSecret });
  const endpoint = originSecret && new Endpoint(compute, 'Endpoint', { settings, api, originSecret });
  const forwarder = new Forwarder(compute, 'Forwarder', {
    settings,
    tables,
    network,
    failed,
    bundle: bundle('forwarder'),
  });
  const controller = new Controller(compute, 'Controller', {
    settings,
    tables,
    failed,
    release,
    bundle: bundle('controller'),
  });
  const webhooks = new Webhooks(compute, 'Webhooks', {
    settings,
    tables,
    images,
    own: [...(endpoint ? [endpoint.hostName] : []), api.hostName],
    bundle: bundle('webhooks'),
  });
  const alarms = new Alarms(compute, 'Alarms', { settings, api, forwarder, failed });
  new Dashboard(compute, 'Dashboard', { settings, alarms, api, forwarder, controller, webhooks });
  new Budget(compute, 'Budget', { name, usd: settings.budgetUsd, topic: alarms.topic });

  // The stacks refer to each other by name, which permits later changes but gives CloudFormation no order.
  gpuHosts.addStackDependency(stateful);
  compute.addStackDependency(gpuHosts);

  say(stateful, 'TablePrefix', tables.prefix, 'What the names of the tables begin with');
  say(stateful, 'ImagesBucket', images.name, 'Where images lie');
  say(stateful, 'ModelsBucket', models.name, 'Where models lie: npm run models -- seed');
  say(gpuHosts, 'AutoScalingGroup', groupName(name), 'The group of the GPU hosts');
  say(gpuHosts, 'Release', release, 'What hosts run');
  say(
    gpuHosts,
    'BuildCommand',
    buildCommand,
    'Installs ComfyUI for the hosts, once for each version; ends itself',
  );
  say(gpuHosts, 'SeedSubnet', seedSubnet, 'Where models are seeded from: npm run models -- seed --in-region');
  if (image) say(gpuHosts, 'ImagePipeline', image.pipelineArn, 'Makes the image of the hosts: npm run image');
  say(compute, 'Url', (endpoint ?? api).address, 'Where callers go');
  say(compute, 'ApiKeySecretArn', api.key.secret.secretArn, 'The secret with the key that callers send');
  say(
    compute,
    'ApiKeyCommand',
    `aws secretsmanager get-secret-value --region ${settings.region} --secret-id ${api.key.secret.secretArn} --query SecretString --output text`,
    'Prints the key that callers send',
  );
  if (endpoint && settings.domainName !== undefined) {
    say(
      compute,
      'DnsTarget',
      endpoint.distribution.distributionDomainName,
      `Where a CNAME of ${settings.domainName} must point`,
    );
  }
  return { stateful, gpuHosts, compute };
}

function say(stack: Stack, id: string, value: string, description: string): void {
  new CfnOutput(stack, id, { value, description });
}
