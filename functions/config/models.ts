// Settings of `npm run models`, and of the program that brings the models to a GPU host.

import * as z from 'zod/mini';
import { isSecretLike } from '../core/secrets.ts';
import { bucket, endpoint, tables } from './storage.ts';
import { type Environment, read, setting, withSchema } from './setting.ts';
import { address, required, text } from './values.ts';

export const models = {
  MODELS_BUCKET: setting(
    z.optional(required),
    'must name the bucket of the models',
    'the bucket that the seed fills and GPU hosts read',
  ),
  MODELS_PATH: setting(
    z.optional(required),
    'must name the folder for the models',
    'ComfyUI’s `models` on a GPU host',
  ),
  // The name that the hub's own programs use.
  HF_ENDPOINT: setting(
    z._default(address, 'https://huggingface.co'),
    'must be the address of the hub, such as https://huggingface.co',
    'where the model files come from',
  ),
  HF_TOKEN: setting(
    // The characters that an HTTP header can carry: the error of a request repeats others.
    z.optional(text.check(z.trim(), z.regex(/^[!-~]+$/))),
    'must be a token of the hub, which has no spaces and no letters beyond ASCII',
    'the hub’s token, where a model asks for one',
    {
      secret: true,
    },
  ),
  HUB_TOKEN_PARAMETER: setting(
    z.optional(required.check(z.refine((name) => !isSecretLike(name)))),
    'must be the name of an SSM parameter such as /comfyui/hub-token, not the token itself, which belongs in the parameter or in HF_TOKEN',
    'the SSM parameter with the hub’s token, where no variable has it',
  ),
  AWS_REGION: withSchema(tables.AWS_REGION, z._default(required, 'us-east-1')),
  AWS_ENDPOINT_URL_S3: bucket.AWS_ENDPOINT_URL_S3,
  AWS_ENDPOINT_URL_SSM: endpoint('SSM', 'http://127.0.0.1:5001'),
  AWS_ENDPOINT_URL_DYNAMODB: tables.AWS_ENDPOINT_URL_DYNAMODB,
  // The tables of a GPU host's jobs: the models of waiting jobs come first.
  TABLE_PREFIX: withSchema(tables.TABLE_PREFIX, z.optional(text)),
  IMAGES_BUCKET: withSchema(bucket.IMAGES_BUCKET, z.optional(required)),
};
export const modelsSettings = (environment: Environment) => read(models, environment);
