// Settings of the API as a Lambda function.

import * as z from 'zod/mini';
import { api, origins, waiting } from './api.ts';
import { deployedBucket, deployedTables } from './storage.ts';
import {
  type Environment,
  type EnvironmentOf,
  read,
  setting,
  withSchema,
  type SettingsOf,
} from './setting.ts';
import { flag, required, SECRET, secret, whole } from './values.ts';

/** The value for "no secret", so that a forgotten variable is an error. */
export const NO_SECRET = 'none';

export const apiLambda = {
  ...deployedTables,
  ...deployedBucket,
  ...api,
  // The bundle has its own workflows.
  WORKFLOWS_PATH: withSchema(api.WORKFLOWS_PATH, required),
  ALLOWED_ORIGINS: withSchema(api.ALLOWED_ORIGINS, z.prefault(origins, '*')),
  COMFYUI_API_POLLED: withSchema(api.COMFYUI_API_POLLED, z.prefault(flag, 'true')),
  // An open connection occupies a Lambda environment, of which new accounts have ten.
  OPEN_CONNECTIONS: withSchema(api.OPEN_CONNECTIONS, z._default(whole(0, 100_000), 0)),
  ...waiting,
  ORIGIN_SECRET: setting(
    z.union([secret, z.literal(NO_SECRET)]),
    `${SECRET}, which CloudFront adds to every request, or none`,
    'CloudFront adds it to every request; a request without it did not come through CloudFront. `none`: the Function URL is the address',
    { secret: true },
  ),
  API_KEY: setting(secret, SECRET, 'the deployment’s own key, an admin', { secret: true }),
  ORIGIN_SECRET_PREVIOUS: setting(z.optional(secret), SECRET, 'taken too while a new one takes its place', {
    secret: true,
  }),
  API_KEY_PREVIOUS: setting(z.optional(secret), SECRET, 'taken too while a new one takes its place', {
    secret: true,
  }),
};
export type ApiLambdaEnvironment = EnvironmentOf<typeof apiLambda>;
export type ApiLambdaSettings = SettingsOf<typeof apiLambda>;
export const apiLambdaSettings = (environment: Environment): ApiLambdaSettings =>
  read(apiLambda, environment);
