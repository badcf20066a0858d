// The two secrets that a deployment generates: the key of the API, and the origin secret by which the function recognises
// CloudFront's requests. The previous version stays valid beside a new one: CloudFront takes minutes to send the new secret
// from everywhere, and callers take longer.

import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Settings } from './settings.ts';

export class GeneratedSecret extends Construct {
  readonly secret: Secret;
  /** The previous version, while it is accepted. */
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
      // No fixed name: a deleted secret keeps its name for weeks, and a second deployment would fail.
      description,
      // Letters and digits only: the value is sent in a header.
      generateSecretString: { passwordLength: 48, excludePunctuation: true },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'An automatic rotation would lock callers out; the next keyVersion in cdk.json makes a new one.',
    });
    return secret;
  }

  /**
   * A reference that CloudFormation resolves at deployment: the template never holds the value; the function's environment
   * and CloudFront's configuration do, and both are encrypted and readable by administrators only.
   */
  get value(): string {
    return this.secret.secretValue.unsafeUnwrap();
  }

  /** Also a reference. */
  get previousValue(): string | undefined {
    return this.#previous?.secretValue.unsafeUnwrap();
  }
}
