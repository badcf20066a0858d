// The two secrets that a deployment makes for itself, and nobody types: the key of the API, and what tells the front
// door's requests from those of others.

import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';

export class GeneratedSecret extends Construct {
  readonly secret: Secret;

  constructor(
    scope: Construct,
    id: string,
    { description, version }: { description: string; version: number },
  ) {
    super(scope, id);
    this.secret = new Secret(this, `Secret${version}`, {
      // No name of its own: a deleted secret keeps its name for weeks, and a second deployment would fail.
      description,
      // Letters and digits alone: it stands in a header.
      generateSecretString: { passwordLength: 48, excludePunctuation: true },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(this.secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'A rotation that nobody asked for would lock callers out; the next keyVersion in cdk.json makes a new one.',
    });
  }

  /**
   * A reference that CloudFormation resolves when it deploys: the template never holds the value, the function's
   * environment and CloudFront's configuration do, and both are encrypted and for administrators alone.
   */
  get value(): string {
    return this.secret.secretValue.unsafeUnwrap();
  }
}
