// The two secrets that a deployment makes for itself, and nobody types: the key of the API, and what tells
// CloudFront's requests from those of others. A new version keeps the one before it: CloudFront takes minutes to send the new
// one from everywhere, callers take longer.

import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Settings } from './settings.ts';

export class GeneratedSecret extends Construct {
  readonly secret: Secret;
  /** The one before it, as long as it is taken too. */
  readonly #previous: Secret | undefined;

  constructor(
    scope: Construct,
    id: string,
    { description, settings }: { description: string; settings: Settings },
  ) {
    super(scope, id);
    const { keyVersion, previousKey } = settings;
    this.secret = this.#draw(keyVersion, description);
    if (keyVersion > 1 && previousKey === 'accepted')
      this.#previous = this.#draw(keyVersion - 1, description);
  }

  #draw(version: number, description: string): Secret {
    const secret = new Secret(this, `Secret${version}`, {
      // No name of its own: a deleted secret keeps its name for weeks, and a second deployment would fail.
      description,
      // Letters and digits alone: it stands in a header.
      generateSecretString: { passwordLength: 48, excludePunctuation: true },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'A rotation that nobody asked for would lock callers out; the next keyVersion in cdk.json makes a new one.',
    });
    return secret;
  }

  /**
   * A reference that CloudFormation resolves when it deploys: the template never holds the value, the function's
   * environment and CloudFront's configuration do, and both are encrypted and for administrators alone.
   */
  get value(): string {
    return this.secret.secretValue.unsafeUnwrap();
  }

  /** A reference too. */
  get previousValue(): string | undefined {
    return this.#previous?.secretValue.unsafeUnwrap();
  }
}
