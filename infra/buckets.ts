// The two buckets: images (with uploads, graphs and inventories) and models. Private, TLS only; like the tables they
// outlive every stack. Key prefixes are those of functions/core/names.ts and functions/models.

import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  HttpMethods,
  type LifecycleRule,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { asNagWrites, bucketName } from './names.ts';

/** Objects of jobs, which expire with them. Inventories do not expire: they belong to hosts and are found by hash. */
const OF_JOBS = ['images', 'derived', 'uploads', 'graphs'];

type ObjectAction =
  | 'GetObject'
  | 'PutObject'
  | 'DeleteObject'
  | 'AbortMultipartUpload'
  | 'ListMultipartUploadParts';
/** Folders by action, or a single object, whose name contains a dot. */
export type BucketAccess = Partial<Record<ObjectAction, string[]>>;

abstract class ClosedBucket extends Construct {
  readonly name: string;

  constructor(
    scope: Construct,
    id: string,
    props: { bucketName: string; lifecycleRules: LifecycleRule[]; usedFrom?: string[] },
  ) {
    super(scope, id);
    this.name = props.bucketName;
    const bucket = new Bucket(this, 'Bucket', {
      bucketName: props.bucketName,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      encryption: BucketEncryption.S3_MANAGED,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      // Deleted, while empty, if the deployment that creates it fails: a bucket that stays would block the next deployment.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      lifecycleRules: [
        { id: 'unfinished', abortIncompleteMultipartUploadAfter: Duration.days(2) },
        ...props.lifecycleRules,
      ],
      ...(props.usedFrom && {
        cors: [
          { allowedMethods: [HttpMethods.GET, HttpMethods.HEAD], allowedOrigins: props.usedFrom },
          {
            allowedMethods: [HttpMethods.PUT],
            allowedOrigins: props.usedFrom,
            // Those that a link for an upload signs: functions/images/s3/presign.ts.
            allowedHeaders: ['Content-Type', 'If-None-Match', 'x-amz-checksum-sha256'],
            maxAge: 3600,
          },
        ],
      }),
    });
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Access logs would cost more than the bucket and grow for ever; CloudTrail data events can be switched on when a person wants to know who read what.',
    });
  }

  protected grant(role: Role, access: BucketAccess): void {
    const add = (actions: string[], resources: string[]) =>
      role.addToPrincipalPolicy(new PolicyStatement({ actions, resources }));
    // Referenced by name, so that no CloudFormation export ties the stacks together.
    const arn = `arn:${Stack.of(role).partition}:s3:::${this.name}`;
    for (const [action, prefixes] of Object.entries(access)) {
      const resources = prefixes.map((prefix) =>
        prefix.includes('.') ? `${arn}/${prefix}` : `${arn}/${prefix}/*`,
      );
      add([`s3:${action}`], resources);
      for (const resource of resources.filter((one) => one.endsWith('*'))) {
        Validations.of(role).acknowledge({
          id: `AwsSolutions-IAM5[Resource::${asNagWrites(role, resource)}]`,
          reason:
            'Objects are named by jobs and releases that do not exist yet; the prefix says which kind they are.',
        });
      }
    }
    // Without s3:ListBucket S3 answers 403 instead of 404 for a missing key. The statement has no prefix condition, because
    // a GetObject request carries no prefix.
    add(['s3:ListBucket'], [arn]);
  }
}

export class ImagesBucket extends ClosedBucket {
  constructor(
    scope: Construct,
    id: string,
    { name, imageDays, allowedOrigins }: { name: string; imageDays: number; allowedOrigins: string },
  ) {
    super(scope, id, {
      bucketName: bucketName(scope, name, 'images'),
      lifecycleRules: OF_JOBS.map((prefix) => ({
        id: prefix,
        prefix: `${prefix}/`,
        expiration: Duration.days(imageDays),
      })),
      // Pages read and put by presigned links across origins, so S3 itself must answer with CORS headers.
      usedFrom: allowedOrigins.split(',').map((origin) => origin.trim()),
    });
  }

  /** Grants access, and returns the environment variables that name the bucket. */
  allow(role: Role, access: BucketAccess): { IMAGES_BUCKET: string } {
    this.grant(role, access);
    return { IMAGES_BUCKET: this.name };
  }
}

export class ModelsBucket extends ClosedBucket {
  constructor(scope: Construct, id: string, { name }: { name: string }) {
    super(scope, id, {
      bucketName: bucketName(scope, name, 'models'),
      // An installed ComfyUI does not expire: hosts run it and cannot upload it again.
      lifecycleRules: [],
    });
  }

  /** Grants access, and returns the environment variables that name the bucket. */
  allow(role: Role, access: BucketAccess): { MODELS_BUCKET: string } {
    this.grant(role, access);
    return { MODELS_BUCKET: this.name };
  }
}
