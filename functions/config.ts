// The environment as typed settings. One schema per entry point; what cannot be read is refused by name, with what
// it should be.

import * as z from 'zod';
import { AppError } from './core/errors.ts';

type Environment = Record<string, string | undefined>;

const port = z.coerce.number().int().min(0).max(65_535);
const flag = z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1');
const origin = z.url({ protocol: /^https?$/ }).transform((text) => new URL(text).origin);

const wanted: Record<string, string> = {
  COMFYUI_PORT: 'must be a port from 0 to 65535',
  API_PORT: 'must be a port from 0 to 65535',
  DEBUG: 'must be true or false',
  COMFYUI_MODE: 'must be auto, real or simulated',
  PUBLIC_URL: 'must be an address such as https://images.example.com',
  SIMULATED_STEP_MS: 'must be a whole number of milliseconds from 0 to 60000',
  COMFYUI_HOST: 'must be a host name or an address',
  API_URL: 'must be an address such as http://127.0.0.1:5000',
};

const localSchema = z.object({
  COMFYUI_HOST: z
    .string()
    .regex(/^[\w.:[\]-]+$/)
    .optional(),
  COMFYUI_PORT: port.default(8188),
  COMFYUI_MODE: z.enum(['auto', 'real', 'simulated']).default('auto'),
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: port.default(5000),
  WORKSPACE_PATH: z.string().default('.workspace'),
  WORKFLOWS_PATH: z.string().optional(),
  PUBLIC_URL: origin.optional(),
  ALLOWED_ORIGINS: z
    .string()
    .default('*')
    .transform((text) => text.split(',').map((one) => one.trim())),
  SIMULATED_STEP_MS: z.coerce.number().int().min(0).max(60_000).default(80),
  DEBUG: flag.default(false),
});

/** `npm start`, and every program that starts the same arrangement. */
export type LocalSettings = z.infer<typeof localSchema>;

export function localSettings(environment: Environment): LocalSettings {
  return read(localSchema, environment);
}

const cliSchema = z.object({ API_URL: origin.optional() });

/** Programs that talk to an API that runs somewhere. */
export function cliSettings(environment: Environment): z.infer<typeof cliSchema> {
  return read(cliSchema, environment);
}

/** An empty variable is an absent one. @throws AppError bad_setting */
function read<Schema extends z.ZodType>(schema: Schema, environment: Environment): z.infer<Schema> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const name = String(parsed.error.issues[0]!.path[0]);
  throw new AppError(
    'bad_setting',
    `${name} ${wanted[name] ?? 'cannot be read'}; it is "${given[name] ?? ''}"`,
  );
}
