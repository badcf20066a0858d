// The two buckets: images (with uploads, graphs and inventories beside them) and models. Closed, TLS only, and like the
// tables they outlive every stack. Key prefixes are those of functions/core/names.ts and functions/models.

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

/** What is made of jobs, and ages with them. An inventory is of a host: kept, for it is found by its hash for ever. */
const OF_JOBS = ['images', 'uploads', 'graphs'];

type ObjectAction =
  | 'GetObject'
  | 'PutObject'
  | 'DeleteObject'
  | 'AbortMultipartUpload'
  | 'ListMultipartUploadParts';
/** Folders by action, or a single object, which has a dot. */
export type BucketAccess = Partial<Record<ObjectAction, string[]>>;

abstract class ClosedBucket extends Construct {
  readonly name: string;

  constructor(
    scope: Construct,
    id: string,
    props: { bucketName: string; lifecycleRules: LifecycleRule[]; readableFrom?: string[] },
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
      // Where the deployment that makes it fails it goes again, empty: one that stayed would be in the way of the next.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      lifecycleRules: [
        { id: 'unfinished', abortIncompleteMultipartUploadAfter: Duration.days(2) },
        ...props.lifecycleRules,
      ],
      ...(props.readableFrom && {
        cors: [{ allowedMethods: [HttpMethods.GET, HttpMethods.HEAD], allowedOrigins: props.readableFrom }],
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
    // By its name, which binds no stack to the other.
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
    // Without it S3 answers 403, not 404, to whoever asks for a key that is not there, and no condition on the prefix
    // can be given: a GetObject carries none.
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
      // A page that fetches a presigned link reads S3's answer itself.
      readableFrom: allowedOrigins.split(',').map((origin) => origin.trim()),
    });
  }

  /** Grants, and says where the images are: a part of the function's environment. */
  allow(role: Role, access: BucketAccess): { IMAGES_BUCKET: string } {
    this.grant(role, access);
    return { IMAGES_BUCKET: this.name };
  }
}

export class ModelsBucket extends ClosedBucket {
  constructor(scope: Construct, id: string, { name }: { name: string }) {
    super(scope, id, {
      bucketName: bucketName(scope, name, 'models'),
      // An installed ComfyUI is not removed by its age: hosts run it, and cannot put it there again.
      lifecycleRules: [],
    });
  }

  /** Grants, and says where the models are: a part of the function's environment. */
  allow(role: Role, access: BucketAccess): { MODELS_BUCKET: string } {
    this.grant(role, access);
    return { MODELS_BUCKET: this.name };
  }
}
