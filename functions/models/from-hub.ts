// Seeds the bucket with a process's settings: the hub's address, and the token from a variable or from SSM.

import { SSMClient } from '@aws-sdk/client-ssm';
import type { ModelBucket } from './bucket.ts';
import { createHub } from './hub.ts';
import { seed } from './seed.ts';
import { gb } from './size.ts';
import { tokenFrom } from './token.ts';
import type { Wanted } from './wanted.ts';

export interface HubSettings {
  AWS_REGION: string;
  AWS_ENDPOINT_URL_SSM?: string | undefined;
  HF_ENDPOINT: string;
  HF_TOKEN?: string | undefined;
  /** An SSM parameter; takes precedence over HF_TOKEN. */
  HUB_TOKEN_PARAMETER?: string | undefined;
}

export interface FromHub {
  bucket: ModelBucket;
  settings: HubSettings;
  say(line: string): void;
  /** Sleeps for a random time up to `ms`. */
  sleepUpTo(ms: number): Promise<void>;
}

/** @throws ModelsProblem */
export async function seedFromHub(
  { bucket, settings, say, sleepUpTo }: FromHub,
  wanted: Wanted,
  acceptsLicence: boolean,
): Promise<void> {
  const { AWS_REGION: region, AWS_ENDPOINT_URL_SSM: endpoint, HUB_TOKEN_PARAMETER: parameter } = settings;
  const token =
    parameter === undefined
      ? settings.HF_TOKEN
      : await tokenFrom(new SSMClient({ region, ...(endpoint && { endpoint }) }), parameter);
  const hub = createHub({
    url: settings.HF_ENDPOINT.replace(/\/$/, ''),
    token,
    pause: (attempt) => sleepUpTo(Math.min(1000 * 2 ** attempt, 30_000)),
  });
  const { files } = await seed({ hub, bucket, say }, wanted, acceptsLicence);
  const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  say(`${files.length} models, ${gb(total)}, are in s3://${bucket.name}; hosts that start now take them`);
}
