// A whole deployment as its callers reach it: through CloudFront as the template has it, with a GPU host that the first job starts.

import { randomBytes } from 'node:crypto';
import type { Template } from 'aws-cdk-lib/assertions';
import { drawKey, type Scope } from '../../functions/core/access.ts';
import { templatesWith } from '../infra/synth.ts';
import { type CloudFront, startCloudFront } from './cloudfront.ts';
import { distributionOf } from './distribution.ts';
import { functionUrl } from './origin.ts';
import { startWholeDeployment, type WholeDeployment } from './whole-deployment.ts';

const HOST = 'abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws';

export interface BehindCloudFront {
  deployment: WholeDeployment;
  cloudFront: CloudFront;
  /** A new key of the owner. */
  keyOf(owner: string, scopes: Scope[]): Promise<string>;
  close(): Promise<void>;
}

export async function startBehindCloudFront(): Promise<BehindCloudFront> {
  const deployment = await startWholeDeployment({ everyMinute: 500 });
  const cloudFront = await cloudFrontOf(deployment, templatesWith().compute).catch(async (error: unknown) => {
    await deployment.close();
    throw error;
  });
  return {
    deployment,
    cloudFront,
    async keyOf(owner, scopes) {
      const { key, keyId, hash } = drawKey(randomBytes);
      const { keys, now } = deployment.behind;
      await keys.add({ keyId, hash, name: owner, owner, scopes, createdAt: now() });
      return key;
    },
    async close() {
      await cloudFront.close();
      await deployment.close();
    },
  };
}

/** @param compute the stack whose distribution it is; @param api the function behind it */
export function cloudFrontOf(
  deployment: WholeDeployment,
  compute: Template,
  api = deployment.functions.api,
): Promise<CloudFront> {
  return startCloudFront(distributionOf(compute), {
    origin: functionUrl(api, HOST),
    hostName: HOST,
    secret: deployment.environment['ORIGIN_SECRET']!,
  });
}
