// What must never be lost: tables and buckets.

import { App, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { keys } from '../../functions/core/names.ts';
import { createPresigner } from '../../functions/images/s3/presign.ts';
import { tables } from '../../functions/store/tables.ts';
import { Tables } from '../../infra/tables.ts';
import { resourcesOf, templatesWith } from './synth.ts';

const templates = templatesWith();
const { stateful } = templates;

describe('tables', () => {
  test.each(tables.map((table) => [table.name, table] as const))(
    '%s is as functions/store/tables.ts says',
    (name, table) => {
      const key = (attribute: string, KeyType: string) => ({ AttributeName: attribute, KeyType });
      stateful.hasResourceProperties('AWS::DynamoDB::Table', {
        TableName: `comfyui-${name}`,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [key(table.partitionKey, 'HASH'), ...(table.sortKey ? [key(table.sortKey, 'RANGE')] : [])],
        AttributeDefinitions: Match.arrayWith(
          (table.numbers ?? []).map((name) => ({ AttributeName: name, AttributeType: 'N' })),
        ),
        TimeToLiveSpecification: { AttributeName: table.ttl, Enabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        // A table that is protected could not be taken back by a deployment that fails: functions/cli/deploy.
        DeletionProtectionEnabled: Match.absent(),
        GlobalSecondaryIndexes:
          table.indexes.length === 0
            ? Match.absent()
            : table.indexes.map((index) => ({
                IndexName: index.name,
                KeySchema: [key(index.partitionKey, 'HASH'), key(index.sortKey, 'RANGE')],
                Projection: { ProjectionType: 'KEYS_ONLY' },
              })),
      });
    },
  );

  test('a deployed table of 0.1.0 gets one index at most: CloudFormation makes no two in one update', () => {
    const released: Record<string, string[]> = {
      jobs: ['byWork', 'byList', 'byHook'],
      deliveries: ['byDue', 'byOwner'],
      usage: ['byOpen'],
    };
    for (const { name, indexes } of tables.filter((one) => one.name in released)) {
      const added = indexes.filter((index) => !released[name]!.includes(index.name));
      expect(added.length).toBeLessThanOrEqual(1);
      expect(indexes.length - added.length).toBe(released[name]!.length);
    }
  });

  test('a room that asks for a table or an index that is not there ends the synthesis', () => {
    const stack = new Stack(new App(), 'Any');
    const room = new Role(stack, 'Room', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    const all = new Tables(stack, 'Tables', { name: 'any' });
    expect(() => all.allow(room, { job: { items: ['GetItem'] } })).toThrow('has no job');
    expect(() => all.allow(room, { jobs: { items: ['GetItem'], indexes: ['byAge'] } })).toThrow(
      'has no jobs byAge',
    );
  });

  test('jobs alone has a stream, of new images', () => {
    const withStream = Object.values(stateful.findResources('AWS::DynamoDB::Table')).flatMap(
      ({ Properties }) => (Properties.StreamSpecification ? [Properties] : []),
    );
    expect(withStream.map(({ TableName, StreamSpecification }) => [TableName, StreamSpecification])).toEqual([
      ['comfyui-jobs', { StreamViewType: 'NEW_IMAGE' }],
    ]);
  });
});

describe('buckets', () => {
  const buckets = Object.values(stateful.findResources('AWS::S3::Bucket'));

  test('there are two, closed to the public and encrypted', () => {
    expect(buckets).toHaveLength(2);
    for (const { Properties } of buckets) {
      expect(Properties.PublicAccessBlockConfiguration).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      expect(JSON.stringify(Properties.BucketEncryption)).toContain('AES256');
      expect(Properties.OwnershipControls.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }]);
    }
  });

  test('each refuses what is not TLS 1.2 or later', () => {
    stateful.resourceCountIs('AWS::S3::BucketPolicy', 2);
    const deny = (Condition: object) =>
      Match.objectLike({ Effect: 'Deny', Action: 's3:*', Principal: { AWS: '*' }, Condition });
    stateful.allResourcesProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          deny({ Bool: { 'aws:SecureTransport': 'false' } }),
          deny({ NumericLessThan: { 's3:TlsVersion': 1.2 } }),
        ]),
      },
    });
  });

  test('pages of the allowed origins read images by links, and put uploads with what a link signs', async () => {
    const { headers } = await createPresigner({
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      region: 'eu-central-1',
      bucket: 'images',
    }).uploadLink({ key: 'uploads/x', sizeBytes: 1, sha256: '0'.repeat(64) });
    stateful.hasResourceProperties('AWS::S3::Bucket', {
      BucketName: Match.anyValue(),
      CorsConfiguration: {
        CorsRules: [
          Match.objectLike({ AllowedMethods: ['GET', 'HEAD'] }),
          Match.objectLike({ AllowedMethods: ['PUT'], AllowedHeaders: Object.keys(headers) }),
        ],
      },
    });
  });

  const rulesOf = (bucket: string) =>
    buckets
      .filter(({ Properties }) => JSON.stringify(Properties.BucketName).includes(bucket))
      .flatMap(({ Properties }) => Properties.LifecycleConfiguration.Rules as Record<string, unknown>[]);

  test('what is made of jobs ages with them; what a host has is kept', () => {
    const expiring = rulesOf('comfyui-images').filter((rule) => 'ExpirationInDays' in rule);
    const prefixOf = (key: string) => key.slice(0, key.indexOf('/') + 1);
    expect(expiring.map((rule) => [rule['Prefix'], rule['ExpirationInDays']])).toEqual([
      [prefixOf(keys.image('job', 1, 'a.png')), 30],
      [prefixOf(keys.derived('job', 1, 'a.png', 'thumbnail.webp')), 30],
      [prefixOf(keys.upload('local', 'a.png')), 30],
      [prefixOf(keys.graph('job')), 30],
    ]);
  });

  test('uploads that were never finished are removed', () => {
    for (const bucket of ['comfyui-images', 'comfyui-models'])
      expect(rulesOf(bucket)).toContainEqual(
        expect.objectContaining({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } }),
      );
  });

  test('models and the installed ComfyUI never expire: no host could put them there again', () => {
    expect(rulesOf('comfyui-models').filter((rule) => 'ExpirationInDays' in rule)).toEqual([]);
  });
});

test('whatever holds jobs, images or models stays when its stack goes, and goes where its stack never came to be', () => {
  const holding = resourcesOf(templates).filter(([, { Type }]) =>
    ['AWS::DynamoDB::Table', 'AWS::S3::Bucket'].includes(Type),
  );
  expect(holding).toHaveLength(tables.length + 2);
  for (const [id, resource] of holding) {
    expect([id, resource.DeletionPolicy, resource.UpdateReplacePolicy]).toEqual([
      id,
      'RetainExceptOnCreate',
      'Retain',
    ]);
  }
});
