// Settings of the sender of webhooks, as a process and as a Lambda function.

import * as z from 'zod/mini';
import { webhookReach } from './api.ts';
import { deployedBucket, deployedTables, storage } from './storage.ts';
import { type Environment, type EnvironmentOf, read, setting } from './setting.ts';
import { text } from './values.ts';

const own = {
  OWN_HOSTS: setting(
    z.pipe(
      z._default(text, ''),
      z.transform((list) => list.split(',').flatMap((one) => one.trim() || [])),
    ),
    'must be host names, separated by commas',
    'host names that this service is reached by: no webhook goes there',
  ),
};

export const webhooksProcess = { ...webhookReach, ...own, ...storage };
export const webhooksSettings = (environment: Environment) => read(webhooksProcess, environment);

export const webhooksLambda = { ...own, ...deployedTables, ...deployedBucket };
export type WebhooksLambdaEnvironment = EnvironmentOf<typeof webhooksLambda> & { OWN_HOSTS: string };
export const webhooksLambdaSettings = (environment: Environment) => read(webhooksLambda, environment);
