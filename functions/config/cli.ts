// Settings of the terminal programs that call an API or a deployment.

import * as z from 'zod/mini';
import { workspace } from './local.ts';
import { bucket, endpoint, tables } from './storage.ts';
import { type Environment, read, setting, type SettingsOf, withSchema } from './setting.ts';
import { addressLike, origin, text } from './values.ts';

export const cli = {
  API_URL: setting(z.optional(origin), addressLike('http://127.0.0.1:5000'), 'the API that is asked', {
    otherwise: 'the one that runs here',
  }),
  API_KEY: setting(
    // The characters that an HTTP header can carry.
    z.optional(text.check(z.regex(/^[!-~]+$/))),
    'must be a key, which has no spaces and no letters beyond ASCII',
    'the key of the API that is asked, where it asks for one',
    {
      secret: true,
    },
  ),
};
export const cliSettings = (environment: Environment) => read(cli, environment);

export const keys = {
  ...workspace,
  AWS_ENDPOINT_URL_DYNAMODB: tables.AWS_ENDPOINT_URL_DYNAMODB,
  AWS_REGION: withSchema(tables.AWS_REGION, z.optional(text)),
  TABLE_PREFIX: withSchema(tables.TABLE_PREFIX, z.optional(text)),
};
export const keysSettings = (environment: Environment) => read(keys, environment);

export const doctor = {
  ...cli,
  AWS_ENDPOINT_URL: endpoint('all of AWS', 'http://127.0.0.1:5000'),
  AWS_ENDPOINT_URL_FREETIER: endpoint('the free tier', 'http://127.0.0.1:5000'),
  AWS_ENDPOINT_URL_S3: bucket.AWS_ENDPOINT_URL_S3,
};
export type DoctorSettings = SettingsOf<typeof doctor>;
export const doctorSettings = (environment: Environment): DoctorSettings => read(doctor, environment);
