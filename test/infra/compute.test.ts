// The endpoint and the functions behind it: their settings, and what calls them.

import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { type ApiLambdaEnvironment, apiLambdaSettings } from '../../functions/config/api-lambda.ts';
import { controllerLambdaSettings } from '../../functions/config/controller.ts';
import { forwarderLambdaSettings } from '../../functions/config/forwarder.ts';
import { webhooksLambdaSettings } from '../../functions/config/webhooks.ts';
import * as job from '../../functions/core/job.ts';
import { keyOfShard } from '../../functions/core/queue-spread.ts';
import { ORIGIN_SECRET_HEADER } from '../../functions/api/http/cloudfront-secret.ts';
import { HOST, NOW, STATES } from '../core/job-states.ts';
import { matches } from './filter.ts';
import { templatesWith } from './synth.ts';

const { compute } = templatesWith();
const functionNamed = (name: string) =>
  Object.values(compute.findResources('AWS::Lambda::Function')).find(
    ({ Properties }) => Properties.FunctionName === `comfyui-${name}`,
  )!['Properties'];

describe('functions', () => {
  test.each(['api', 'forwarder', 'controller', 'webhooks'])(
    '%s runs on the current LTS runtime, on ARM',
    (name) => {
      expect(functionNamed(name)).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
      });
      expect(functionNamed(name)).not.toHaveProperty('ReservedConcurrentExecutions');
    },
  );

  test('logs are kept as long as the context says, and no longer', () => {
    compute.resourceCountIs('AWS::Logs::LogGroup', 4);
    compute.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
  });

  const environmentOf = (name: string) =>
    Object.fromEntries(
      Object.entries(functionNamed(name).Environment.Variables as Record<string, unknown>).map(
        ([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)],
      ),
    );

  test('each is told all that its settings ask for', () => {
    expect(apiLambdaSettings(environmentOf('api'))).toMatchObject({
      TABLE_PREFIX: 'comfyui-',
      WORKFLOWS_PATH: '/var/task/workflows',
      ALLOWED_ORIGINS: ['*'],
      MAX_WAITING: 10_000,
      METRICS_NAMESPACE: 'comfyui',
    });
    expect(forwarderLambdaSettings(environmentOf('forwarder'))).toMatchObject({ TABLE_PREFIX: 'comfyui-' });
    expect(webhooksLambdaSettings(environmentOf('webhooks'))).toMatchObject({ TABLE_PREFIX: 'comfyui-' });
    expect(controllerLambdaSettings(environmentOf('controller'))).toMatchObject({
      AUTO_SCALING_GROUP: 'comfyui-gpu-hosts',
      MAX_HOSTS: 2,
      RELEASE: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });

  test('an environment that lacks a variable does not pass the type check', () => {
    const whole = {
      TABLE_PREFIX: '',
      IMAGES_BUCKET: '',
      WORKFLOWS_PATH: '',
      ORIGIN_SECRET: '',
      API_KEY: '',
    } satisfies ApiLambdaEnvironment;
    const { API_KEY: _key, ...lacking } = whole;
    // @ts-expect-error API_KEY is missing: `npm run types` fails here on the day that this is allowed.
    const environment: ApiLambdaEnvironment = lacking;
    expect(() => apiLambdaSettings(environment)).toThrow('TABLE_PREFIX must be');
  });

  test('concurrency is reserved where the context says so', () => {
    templatesWith({ apiReservedConcurrency: 20, lambdaConcurrency: 1000 }).compute.hasResourceProperties(
      'AWS::Lambda::Function',
      {
        FunctionName: 'comfyui-api',
        ReservedConcurrentExecutions: 20,
      },
    );
  });
});

describe('the Function URL', () => {
  test('streams, and everybody may call it by both permissions that this takes', () => {
    compute.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'NONE', InvokeMode: 'RESPONSE_STREAM' });
    compute.hasResourceProperties('AWS::Lambda::Permission', {
      Action: 'lambda:InvokeFunctionUrl',
      Principal: '*',
      FunctionUrlAuthType: 'NONE',
    });
    compute.hasResourceProperties('AWS::Lambda::Permission', {
      Action: 'lambda:InvokeFunction',
      Principal: '*',
      InvokedViaFunctionUrl: true,
    });
  });

  test('secrets are made by the deployment, and no template holds them', () => {
    compute.resourceCountIs('AWS::SecretsManager::Secret', 2);
    compute.allResourcesProperties('AWS::SecretsManager::Secret', {
      GenerateSecretString: { PasswordLength: 48, ExcludePunctuation: true },
      SecretString: Match.absent(),
    });
    for (const name of ['API_KEY', 'ORIGIN_SECRET']) {
      expect(JSON.stringify(functionNamed('api').Environment.Variables[name])).toMatch(
        /\{\{resolve:secretsmanager:.*:SecretString:::\}\}/,
      );
    }
  });

  test('the next keyVersion makes new ones, beside the ones before them', () => {
    const idsOf = (template: typeof compute) =>
      Object.keys(template.findResources('AWS::SecretsManager::Secret'));
    const next = idsOf(templatesWith({ keyVersion: 2 }).compute);
    expect(next).toHaveLength(4);
    expect(next).toEqual(expect.arrayContaining(idsOf(compute)));
    const alone = idsOf(templatesWith({ keyVersion: 2, previousKey: 'refused' }).compute);
    expect(alone).toHaveLength(2);
    expect(alone.filter((id) => idsOf(compute).includes(id))).toEqual([]);
  });
});

describe('the endpoint', () => {
  const [distribution] = Object.values(compute.findResources('AWS::CloudFront::Distribution'));
  const config = distribution!['Properties'].DistributionConfig;

  test('adds the secret that the function asks for', () => {
    const [origin] = config.Origins;
    expect(origin.OriginCustomHeaders).toEqual([
      {
        HeaderName: ORIGIN_SECRET_HEADER,
        HeaderValue: functionNamed('api').Environment.Variables.ORIGIN_SECRET,
      },
    ]);
    expect(origin.CustomOriginConfig).toMatchObject({
      OriginProtocolPolicy: 'https-only',
      OriginReadTimeout: 60,
    });
  });

  test('passes every method and header on, but the Host, and keeps nothing', () => {
    expect(config.DefaultCacheBehavior).toMatchObject({
      AllowedMethods: expect.arrayContaining(['GET', 'POST', 'DELETE', 'OPTIONS']),
      ViewerProtocolPolicy: 'https-only',
      // AWS's own: CachingDisabled, AllViewerExceptHostHeader, SecurityHeadersPolicy.
      CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
      OriginRequestPolicyId: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
      ResponseHeadersPolicyId: '67f7725c-6f97-4210-82d7-5512b31e9d03',
    });
  });

  test('keeps the console’s files, and nothing else', () => {
    expect(config.CacheBehaviors).toEqual([
      expect.objectContaining({
        PathPattern: '/console/*',
        AllowedMethods: ['GET', 'HEAD'],
        ViewerProtocolPolicy: 'https-only',
        // AWS's own: CachingOptimized, whose key is the address alone.
        CachePolicyId: '658327ea-f89d-4fab-a63d-7e88639e58f6',
        OriginRequestPolicyId: 'b689b0a8-53d0-40ab-baf2-68738e2966ac',
      }),
    ]);
  });

  test('keeps no error either, which it would for 10 s under a key without the caller’s', () => {
    // Those that a CustomErrorResponse may name; of the others CloudFront keeps none.
    const known = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];
    expect(config.CustomErrorResponses).toEqual(
      known.map((ErrorCode) => ({ ErrorCode, ErrorCachingMinTTL: 0 })),
    );
  });

  test('has a name and a certificate of its own where the context gives both', () => {
    const certificateArn =
      'arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-4000-8000-0123456789ab';
    const named = templatesWith({ domainName: 'images.example.com', certificateArn, region: 'eu-central-1' });
    named.compute.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: {
        Aliases: ['images.example.com'],
        ViewerCertificate: { AcmCertificateArn: certificateArn, MinimumProtocolVersion: 'TLSv1.2_2021' },
      },
    });
    named.compute.hasOutput('Url', { Value: 'https://images.example.com' });
  });
});

describe('without CloudFront', () => {
  const changes = {
    endpoint: 'function-url',
    apiReservedConcurrency: 20,
    lambdaConcurrency: 1000,
    runpodOutput: 's3_url',
  };
  const { compute: direct } = templatesWith(changes);
  const variablesOf = (name: string) =>
    Object.values(direct.findResources('AWS::Lambda::Function')).find(
      ({ Properties }) => Properties.FunctionName === `comfyui-${name}`,
    )!['Properties'].Environment.Variables as Record<string, unknown>;

  test('nothing of it is asked for, which an account that is not verified is refused', () => {
    const types = Object.values(direct.toJSON()['Resources'] as Record<string, { Type: string }>);
    expect(types.filter(({ Type }) => Type.startsWith('AWS::CloudFront'))).toEqual([]);
    direct.resourceCountIs('AWS::SecretsManager::Secret', 1);
  });

  test('what RunPod’s clients get is an option', () => {
    expect(variablesOf('api')['RUNPOD_OUTPUT']).toBe('s3_url');
  });

  test('the Function URL is where callers go, with no origin secret, and with a most', () => {
    expect(variablesOf('api')['ORIGIN_SECRET']).toBe('none');
    const [url] = Object.values(direct.findOutputs('Url'));
    expect(JSON.stringify(url!['Value'])).toMatch(/^\{"Fn::Join":\["",\["https:\/\/",.*FunctionUrl/);
    expect(JSON.stringify(variablesOf('webhooks')['OWN_HOSTS'])).toMatch(/FunctionUrl/);
    direct.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'comfyui-api',
      ReservedConcurrentExecutions: 20,
    });
  });

  test('an account with ten environments deploys as it is', () => {
    expect(() => templatesWith({ endpoint: 'function-url' })).not.toThrow();
  });
});

describe('the stream of jobs', () => {
  const mappings = Object.values(compute.findResources('AWS::Lambda::EventSourceMapping')).map(
    ({ Properties }) => Properties,
  );

  test('calls the forwarder and the controller, and a bad record holds up neither', () => {
    expect(mappings.map(({ FunctionName }) => String(FunctionName.Ref)).toSorted()).toEqual([
      expect.stringMatching(/^Controller/),
      expect.stringMatching(/^Forwarder/),
    ]);
    for (const mapping of mappings) {
      expect(mapping).toMatchObject({
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        BisectBatchOnFunctionError: true,
        MaximumRetryAttempts: 3,
        MaximumRecordAgeInSeconds: 120,
        DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [expect.any(String), 'Arn'] } } },
      });
    }
  });

  test('leaves the api its share of ten: a shard has one call at a time, and the controller gathers', () => {
    // A table that is paid by request begins with four shards.
    for (const mapping of mappings) expect(mapping.ParallelizationFactor).toBe(1);
    const controller = mappings.find(({ FunctionName }) =>
      String(FunctionName.Ref).startsWith('Controller'),
    )!;
    expect(controller.MaximumBatchingWindowInSeconds).toBe(2);
  });

  test('what fails for good lies in a queue that is encrypted and TLS only', () => {
    compute.hasResourceProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true });
    compute.hasResourceProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    });
  });

  const state = (after: object) => record({ part: 'state', ...after });
  const fence = { attempt: STATES.held.attempt, host: HOST };
  const after = (from: job.JobState, change: job.Change) => state(job.apply(from, change)!);
  test.each<[string, boolean, object]>([
    ['a job is accepted', true, state(STATES.waiting)],
    ['a job is accepted under another key', true, state({ ...STATES.waiting, work: keyOfShard(3) })],
    ['a claim is given back', true, after(STATES.held, job.release(STATES.held, fence, NOW))],
    ['an attempt is lost', true, after(STATES.processing, job.sweep(STATES.processing, 'gone', NOW))],
    ['the request of a job is written', false, record({ part: 'request', prompt: 'a fox', work: 'waiting' })],
    ['a job is claimed', false, after(STATES.waiting, job.claim(STATES.waiting, HOST, NOW, false))],
    ['a job starts', false, after(STATES.held, job.start(STATES.held, fence, NOW))],
    ['a job is cancelled', false, after(STATES.waiting, job.cancel(NOW))],
    ['a job is removed', false, record(undefined)],
  ])('when %s, that they are called is %s', (_name, called, change) => {
    for (const { FilterCriteria } of mappings) {
      const patterns = (FilterCriteria.Filters as { Pattern: string }[]).map(({ Pattern }) => Pattern);
      expect(patterns.some((pattern) => matches(JSON.parse(pattern), change))).toBe(called);
    }
  });
});

test('the controller is called every minute, and a call that fails is not repeated', () => {
  compute.hasResourceProperties('AWS::Events::Rule', {
    ScheduleExpression: 'rate(1 minute)',
    State: 'ENABLED',
    Targets: [
      {
        Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Controller'), 'Arn'] },
        RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
      },
    ],
  });
});

test('webhooks are looked for every minute, outside the network, and know the names of this service', () => {
  compute.hasResourceProperties('AWS::Events::Rule', {
    ScheduleExpression: 'rate(1 minute)',
    Targets: [{ Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Webhooks'), 'Arn'] } }],
  });
  expect(functionNamed('webhooks')).not.toHaveProperty('VpcConfig');
  const own = JSON.stringify(functionNamed('webhooks').Environment.Variables['OWN_HOSTS']);
  expect(own).toContain('DomainName');
  expect(own).toContain('FunctionUrl');
});

test('the outputs tell where callers go and how the key is read', () => {
  compute.hasOutput('Url', Match.anyValue());
  compute.hasOutput('ApiKeySecretArn', Match.anyValue());
  const [command] = Object.values(compute.findOutputs('ApiKeyCommand'));
  expect(JSON.stringify(command!['Value'])).toMatch(
    /aws secretsmanager get-secret-value --region us-east-1 --secret-id .*--query SecretString --output text/,
  );
});

/** As DynamoDB's stream has it, with what a Lambda gets around it. */
function record(item: object | undefined): object {
  const attribute = (value: unknown): object => {
    if (typeof value === 'string') return { S: value };
    if (typeof value === 'number') return { N: String(value) };
    if (typeof value === 'boolean') return { BOOL: value };
    if (Array.isArray(value)) return { L: value.map(attribute) };
    return { M: image(value as object) };
  };
  const image = (of: object) =>
    Object.fromEntries(Object.entries(of).map(([name, value]) => [name, attribute(value)]));
  return {
    eventID: '1',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'us-east-1',
    eventName: item ? 'MODIFY' : 'REMOVE',
    dynamodb: {
      Keys: image({ jobId: STATES.waiting.jobId, part: 'state' }),
      ...(item && { NewImage: image(item) }),
      SequenceNumber: '100000000000000000001',
      StreamViewType: 'NEW_IMAGE',
    },
  };
}
