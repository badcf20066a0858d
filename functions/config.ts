// The environment as typed settings. One schema per entry point; what cannot be read is refused by name, with what
// it should be.

import * as z from 'zod';
import { type ComfyUIAddress, parseComfyUIAddress } from './core/comfyui-address.ts';
import { AppError } from './core/errors.ts';
import { HELD_REQUESTS, JOB_KEPT, MAX_WAITING, SLOTS_PER_HOST } from './core/limits.ts';
import { MB, type OwnerLimits } from './core/quota.ts';
import { readWarm } from './core/warm.ts';

type Environment = Record<string, string | undefined>;

const port = z.coerce.number().int().min(0).max(65_535);
const flag = z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1');
const address = z.url({ protocol: /^https?$/ });
const origin = address.transform((text) => new URL(text).origin);
/** An origin, and the path under which a proxy serves the API, without a slash at its end. */
const publicUrl = address
  .refine((text) => URL.canParse(text) && new URL(text).search === '')
  .transform((text) => new URL(text).origin + new URL(text).pathname.replace(/\/+$/, ''));

const origins = z.string().transform((text) => text.split(',').map((one) => one.trim()));

/** Streams of events and requests that wait: so many are held at once. */
const heldRequests = z.coerce.number().int().min(0).max(100_000);

/** Host names that this service is reached by: no webhook goes there. */
const ownHosts = z
  .string()
  .default('')
  .transform((text) => text.split(',').flatMap((one) => one.trim() || []));

/** What an owner may use where its item says nothing else; only where API keys are asked for. */
const ownerLimits = {
  RATE_PER_MINUTE: z.coerce.number().int().min(1).max(60_000).default(120),
  READS_PER_MINUTE: z.coerce.number().int().min(1).max(60_000).default(3000),
  OWNER_MAX_WAITING: z.coerce.number().int().min(0).max(5000).default(1000),
  IMAGES_PER_DAY: z.coerce.number().int().min(0).optional(),
  USD_PER_MONTH: z.coerce.number().min(0).optional(),
  OWNER_UPLOAD_MB: z.coerce.number().int().min(0).max(1_000_000_000).default(1000),
};

/** Where ComfyUI is: COMFYUI_HOST may be a whole URL. */
const comfyuiPlace = {
  COMFYUI_HOST: z.string().optional(),
  COMFYUI_PORT: port.optional(),
  /** A whole `Authorization` header, for a ComfyUI behind a proxy that asks for one. */
  COMFYUI_AUTHORIZATION: z.string().optional(),
};

/** @throws AppError bad_setting, in one sentence and without the password */
export function comfyuiAddressOf(settings: z.infer<z.ZodObject<typeof comfyuiPlace>>): ComfyUIAddress {
  const { COMFYUI_HOST: host = '127.0.0.1', COMFYUI_PORT, COMFYUI_AUTHORIZATION } = settings;
  const address = parseComfyUIAddress(host, COMFYUI_PORT, COMFYUI_AUTHORIZATION);
  if (typeof address === 'object') return address;
  const shown = host.replace(/[^/]*@/, '…@');
  throw new AppError('bad_setting', `COMFYUI_HOST ${address}; it is "${shown}"`);
}

/** One small step before the first claim. Off: a person's own ComfyUI has other things to do. */
const warmUp = flag.default(false);

/** Whether images are published with what ComfyUI writes into them: the whole graph, with the prompt. */
const imageMetadata = z.enum(['keep', 'strip']).default('keep');

/** Host names by which an API without keys is called, beside localhost, addresses and PUBLIC_URL's. */
const allowedHosts = z
  .string()
  .default('')
  .transform((text) => text.split(/[\s,]+/).filter((one) => one !== ''));

/** Pages of any origin may call where a key is asked for; where none is, only those that are named. */
export function allowedOriginsOf(settings: {
  ALLOWED_ORIGINS?: string[] | undefined;
  API_KEYS: 'required' | 'none';
}): string[] {
  return settings.ALLOWED_ORIGINS ?? (settings.API_KEYS === 'required' ? ['*'] : []);
}

/** Whether callers must send an API key. */
const apiKeys = z.enum(['required', 'none']);

const DAY = 24 * 60 * 60_000;
/** Days in the environment, ms in the settings. */
const keepDays = z.coerce
  .number()
  .positive()
  .max(3650)
  .default(JOB_KEPT / DAY)
  .transform((days) => days * DAY);

/** A schedule of hosts that stay up. */
const warm = z
  .string()
  .default('')
  .transform((text, context) => {
    try {
      return readWarm(text);
    } catch (error) {
      context.addIssue(String(error));
      return z.NEVER;
    }
  });

const wanted: Record<string, string> = {
  COMFYUI_PORT: 'must be a port from 0 to 65535',
  API_PORT: 'must be a port from 0 to 65535',
  DEBUG: 'must be true or false',
  FIRST_KEY: 'must be true or false',
  IMAGE_METADATA: 'must be keep or strip',
  WARM_UP: 'must be true or false',
  WORKSPACE_REPAIR: 'must be true or false',
  COMFYUI_MODE: 'must be auto, real or simulated',
  PUBLIC_URL: 'must be an address such as https://images.example.com',
  SIMULATED_STEP_MS: 'must be a whole number of milliseconds from 0 to 60000',
  SIMULATED_COMFYUI_VERSION: 'must be 0.33 or 0.8',
  API_URL: 'must be an address such as http://127.0.0.1:5000',
  AWS_ENDPOINT_URL_DYNAMODB: 'must be an address such as http://127.0.0.1:8000',
  AWS_ENDPOINT_URL_S3: 'must be an address such as http://127.0.0.1:9000',
  FORWARDER_URL: 'must be an address such as http://127.0.0.1:5001',
  FORWARDER_PORT: 'must be a port from 0 to 65535',
  INTAKE_PORT: 'must be a port from 0 to 65535',
  INTAKE_URL: 'must be an address that the forwarder reaches, such as http://10.0.0.7:5002',
  KEEP_DAYS: 'must be a number of days above 0, at most 3650',
  SLOTS: 'must be a whole number from 1 to 64',
  RATE_PER_MINUTE: 'must be a whole number from 1 to 60000',
  READS_PER_MINUTE: 'must be a whole number from 1 to 60000',
  OWNER_MAX_WAITING: 'must be a whole number of jobs from 0 to 5000',
  IMAGES_PER_DAY: 'must be a whole number of images from 0',
  USD_PER_MONTH: 'must be a number of US dollars from 0',
  OWNER_UPLOAD_MB: 'must be a whole number of MB from 0 to 1000000000',
  HELD_REQUESTS: 'must be a whole number from 0 to 100000',
  MAX_WAITING: 'must be a whole number above 0',
  WEBHOOK_ALLOW_PRIVATE: 'must be true or false',
  SWEEP_EVERY_MS: 'must be a whole number of milliseconds from 1 to 3600000',
  FIXED_COMFYUI: 'must be true or false',
  API_KEYS: 'must be required or none',
  ORIGIN_SECRET:
    'must be a secret of at least 32 characters, which the front door adds to every request, or none',
  ORIGIN_SECRET_PREVIOUS: 'must be a secret of at least 32 characters',
  API_KEY_PREVIOUS: 'must be a secret of at least 32 characters',
  API_KEY: 'must be a secret of at least 32 characters',
  WORKFLOWS_PATH: 'must be the folder with the workflows',
  TABLE_PREFIX: 'must be the prefix of the tables that were deployed',
  IMAGES_BUCKET: 'must be the name of the bucket that was deployed',
  AUTO_SCALING_GROUP: 'must be the name of the Auto Scaling group of the GPU hosts',
  RELEASE: 'must name the release that hosts should run',
  MAX_HOSTS: 'must be a whole number from 0 to 1000',
  MIN_HOSTS: 'must be a whole number from 0 to 1000',
  SPOT: 'must be true or false',
  WARM: 'must be spans such as mon-fri 08:00-18:00 Europe/Berlin=1, separated by semicolons',
  IDLE_MINUTES: 'must be a number of minutes above 0',
  USD_PER_HOUR: 'must be a price in US dollars, such as 2.24',
  INSTANCE_ID: 'must be the id of this EC2 instance, such as i-0123456789abcdef0',
  LAUNCHED_AT: 'must be a time such as 2026-11-23T11:00:00Z',
  HF_ENDPOINT: 'must be the address of the hub, such as https://huggingface.co',
  AWS_ENDPOINT_URL_SSM: 'must be an address such as http://127.0.0.1:5001',
};

/** As the api takes them. */
export function ownerLimitsOf(settings: z.infer<z.ZodObject<typeof ownerLimits>>): OwnerLimits {
  return {
    perMinute: settings.RATE_PER_MINUTE,
    readsPerMinute: settings.READS_PER_MINUTE,
    maxWaiting: settings.OWNER_MAX_WAITING,
    imagesPerDay: settings.IMAGES_PER_DAY,
    usdPerMonth: settings.USD_PER_MONTH,
    uploadBytes: settings.OWNER_UPLOAD_MB * MB,
  };
}

const localSchema = z.object({
  ...comfyuiPlace,
  COMFYUI_MODE: z.enum(['auto', 'real', 'simulated']).default('auto'),
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: port.default(5000),
  WORKSPACE_PATH: z.string().default('.workspace'),
  /** Go on with what can be read of a damaged job table. */
  WORKSPACE_REPAIR: flag.default(false),
  WORKFLOWS_PATH: z.string().optional(),
  PUBLIC_URL: publicUrl.optional(),
  ALLOWED_ORIGINS: origins.optional(),
  ALLOWED_HOSTS: allowedHosts,
  KEEP_DAYS: keepDays,
  API_KEYS: apiKeys.default('none'),
  /** Draws and shows a key at the first start with API_KEYS=required: for a box whose log only its operator reads. */
  FIRST_KEY: flag.default(false),
  ...ownerLimits,
  HELD_REQUESTS: heldRequests.default(HELD_REQUESTS),
  /** Webhooks to plain http and to private addresses: for tests, and for a machine of one's own. */
  WEBHOOK_ALLOW_PRIVATE: flag.default(false),
  COMFYUI_PATH: z.string().optional(),
  IMAGE_METADATA: imageMetadata,
  /** A shell's, which restarts a ComfyUI that is stuck; at most once in five minutes. */
  COMFYUI_RESTART_COMMAND: z.string().optional(),
  WARM_UP: warmUp,
  SIMULATED_STEP_MS: z.coerce.number().int().min(0).max(60_000).default(80),
  SIMULATED_COMFYUI_VERSION: z.enum(['0.33', '0.8']).default('0.33'),
  DEBUG: flag.default(false),
});

/** `npm start`, and every program that starts the same arrangement. */
export type LocalSettings = z.infer<typeof localSchema>;

export function localSettings(environment: Environment): LocalSettings {
  const settings = read(localSchema, environment);
  comfyuiAddressOf(settings);
  return settings;
}

/** What every process that runs alone is told: where the tables and the bucket are. */
const placesSchema = z.object({
  AWS_REGION: z.string().default('local'),
  AWS_ENDPOINT_URL_DYNAMODB: address.optional(),
  AWS_ENDPOINT_URL_S3: address.optional(),
  TABLE_PREFIX: z.string().default(''),
  IMAGES_BUCKET: z.string().default('images'),
  DEBUG: flag.default(false),
});

/** With it, measurements are printed as CloudWatch's embedded metrics. */
const metricsNamespace = z.string().optional();

const apiSchema = placesSchema.extend({
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: port.default(5000),
  WORKFLOWS_PATH: z.string().optional(),
  PUBLIC_URL: publicUrl.optional(),
  ALLOWED_ORIGINS: origins.optional(),
  ALLOWED_HOSTS: allowedHosts,
  /** Where the api nudges, best effort. */
  FORWARDER_URL: address.optional(),
  FIXED_COMFYUI: flag.default(false),
  KEEP_DAYS: keepDays,
  API_KEYS: apiKeys.default('none'),
  ...ownerLimits,
  HELD_REQUESTS: heldRequests.default(HELD_REQUESTS),
  WEBHOOK_ALLOW_PRIVATE: flag.default(false),
  MAX_WAITING: z.coerce.number().int().positive().default(MAX_WAITING),
});

const forwarderSchema = placesSchema.extend({ FORWARDER_PORT: port.default(5001) });

const controllerSchema = placesSchema.extend({
  SWEEP_EVERY_MS: z.coerce.number().int().min(1).max(3_600_000).default(5000),
  FORWARDER_URL: address.optional(),
});

const webhooksSchema = placesSchema.extend({
  WEBHOOK_ALLOW_PRIVATE: flag.default(false),
  OWN_HOSTS: ownHosts,
});

const hostSchema = placesSchema.extend({
  ...comfyuiPlace,
  INTAKE_HOST: z.string().default('127.0.0.1'),
  INTAKE_PORT: port.default(5002),
  /** Where the forwarder reaches the intake; the address that it listens on where it is not set. */
  INTAKE_URL: address.optional(),
  /** ComfyUI's folder, where the host reaches it: outputs and staged inputs of ended jobs are deleted there. */
  COMFYUI_PATH: z.string().optional(),
  IMAGE_METADATA: imageMetadata,
  /** A shell's, which restarts a ComfyUI that is stuck; at most once in five minutes. */
  COMFYUI_RESTART_COMMAND: z.string().optional(),
  SLOTS: z.coerce.number().int().min(1).max(64).default(SLOTS_PER_HOST),
  /** A file that is there once all models are: until then the host claims what it has the models of. */
  MODELS_READY: z.string().optional(),
  WARM_UP: warmUp,
  /** For a warm-up while no job waits. */
  WORKFLOWS_PATH: z.string().optional(),
  /** The machine's identity and its lock lie here: one host process at a time. */
  WORKSPACE_PATH: z.string().default('.workspace'),
  /** Of this machine, an hour: with it every job says what it cost. */
  USD_PER_HOUR: z.coerce.number().nonnegative().optional(),
  METRICS_NAMESPACE: metricsNamespace,
  /** It is a machine of this group: then all of machineHostSettings is asked for. */
  AUTO_SCALING_GROUP: z.string().optional(),
});

/** A host on EC2 is its instance, ends itself when idle, and is rolled when its release is not the wanted one. */
const machineHostSchema = hostSchema.extend({
  INSTANCE_ID: z.string().regex(/^i-[0-9a-f]{8,17}$/),
  AUTO_SCALING_GROUP: z.string().min(1),
  RELEASE: z.string().min(1),
  IDLE_MINUTES: z.coerce.number().positive(),
  /** When the instance was launched: what a start costs is measured from there. */
  LAUNCHED_AT: z.iso.datetime().optional(),
  /** A JSON file in which the boot wrote how many seconds each of its parts took. */
  BOOT_REPORT: z.string().optional(),
  /** The SDK's own names, for where these are not AWS's. */
  AWS_ENDPOINT_URL_AUTO_SCALING: address.optional(),
  AWS_EC2_METADATA_SERVICE_ENDPOINT: address.optional(),
});

const secret = z.string().min(32);
/** Said where there is none, so that one which was forgotten is a mistake. */
export const NO_SECRET = 'none';
/** On AWS nothing is guessed: which tables and which bucket is always said. */
const deployedPlaces = placesSchema.extend({
  TABLE_PREFIX: z.string().min(1),
  IMAGES_BUCKET: z.string().min(1),
  METRICS_NAMESPACE: metricsNamespace,
});

const apiLambdaSchema = deployedPlaces.extend({
  /** The bundle has its own. */
  WORKFLOWS_PATH: z.string().min(1),
  ALLOWED_ORIGINS: origins.prefault('*'),
  KEEP_DAYS: keepDays,
  MAX_WAITING: z.coerce.number().int().positive().default(MAX_WAITING),
  ...ownerLimits,
  /** A request that is held keeps an environment of Lambda's to itself, of which new accounts have ten. */
  HELD_REQUESTS: heldRequests.default(0),
  /** CloudFront adds it; who comes without it has gone round the front door. `none`: the Function URL is the address. */
  ORIGIN_SECRET: secret.or(z.literal(NO_SECRET)),
  API_KEY: secret,
  /** Taken too while a new one takes their place. */
  ORIGIN_SECRET_PREVIOUS: secret.optional(),
  API_KEY_PREVIOUS: secret.optional(),
});

const forwarderLambdaSchema = deployedPlaces.omit({ IMAGES_BUCKET: true, AWS_ENDPOINT_URL_S3: true });

const controllerLambdaSchema = deployedPlaces
  .omit({ IMAGES_BUCKET: true, AWS_ENDPOINT_URL_S3: true })
  .extend({
    AUTO_SCALING_GROUP: z.string().min(1),
    MAX_HOSTS: z.coerce.number().int().min(0).max(1000),
    MIN_HOSTS: z.coerce.number().int().min(0).max(1000).default(0),
    WARM: warm,
    SPOT: flag.default(false),
    RELEASE: z.string().min(1),
  });

const webhooksLambdaSchema = deployedPlaces
  .omit({ IMAGES_BUCKET: true, AWS_ENDPOINT_URL_S3: true })
  .extend({ OWN_HOSTS: ownHosts });

/** What infra must set, and may: a missing variable fails the type check. */
type EnvironmentOf<Schema extends z.ZodObject> = {
  [Name in keyof z.input<Schema> as undefined extends z.input<Schema>[Name] ? never : Name]: string;
} & { [Name in keyof z.input<Schema> as undefined extends z.input<Schema>[Name] ? Name : never]?: string };

export type ApiLambdaEnvironment = EnvironmentOf<typeof apiLambdaSchema>;
export type ForwarderLambdaEnvironment = EnvironmentOf<typeof forwarderLambdaSchema>;
export type ControllerLambdaEnvironment = EnvironmentOf<typeof controllerLambdaSchema> & {
  MAX_HOSTS: string;
};
export type WebhooksLambdaEnvironment = EnvironmentOf<typeof webhooksLambdaSchema> & { OWN_HOSTS: string };
export type MachineHostEnvironment = EnvironmentOf<typeof machineHostSchema> & { IDLE_MINUTES: string };

export const apiLambdaSettings = (environment: Environment) => read(apiLambdaSchema, environment);
export const forwarderLambdaSettings = (environment: Environment) => read(forwarderLambdaSchema, environment);
export const controllerLambdaSettings = (environment: Environment) =>
  read(controllerLambdaSchema, environment);
export const webhooksLambdaSettings = (environment: Environment) => read(webhooksLambdaSchema, environment);
export const machineHostSettings = (environment: Environment) => read(machineHostSchema, environment);

export type MachineSettings = z.infer<typeof machineHostSchema>;
export type ApiSettings = z.infer<typeof apiSchema>;
export type PlacesSettings = z.infer<typeof placesSchema>;

export const apiSettings = (environment: Environment) => read(apiSchema, environment);
export const forwarderSettings = (environment: Environment) => read(forwarderSchema, environment);
export const controllerSettings = (environment: Environment) => read(controllerSchema, environment);
export const webhooksSettings = (environment: Environment) => read(webhooksSchema, environment);
export const hostSettings = (environment: Environment) => read(hostSchema, environment);

const cliSchema = z.object({
  API_URL: origin.optional(),
  /** Of the API that is asked, where it asks for one. */
  API_KEY: z.string().optional(),
});

/** Programs that talk to an API that runs somewhere. */
export function cliSettings(environment: Environment): z.infer<typeof cliSchema> {
  return read(cliSchema, environment);
}

const keysSchema = z.object({
  WORKSPACE_PATH: z.string().default('.workspace'),
  AWS_ENDPOINT_URL_DYNAMODB: address.optional(),
  AWS_REGION: z.string().optional(),
  TABLE_PREFIX: z.string().optional(),
});

/** `npm run keys`. */
export function keysSettings(environment: Environment): z.infer<typeof keysSchema> {
  return read(keysSchema, environment);
}

const doctorSchema = cliSchema.extend({
  AWS_ENDPOINT_URL: address.optional(),
  AWS_ENDPOINT_URL_FREETIER: address.optional(),
  AWS_ENDPOINT_URL_S3: address.optional(),
});

export type DoctorSettings = z.infer<typeof doctorSchema>;

/** `npm run doctor`. */
export function doctorSettings(environment: Environment): DoctorSettings {
  return read(doctorSchema, environment);
}

const modelsSchema = z.object({
  AWS_REGION: z.string().min(1).default('us-east-1'),
  AWS_ENDPOINT_URL_S3: address.optional(),
  AWS_ENDPOINT_URL_SSM: address.optional(),
  AWS_ENDPOINT_URL_DYNAMODB: address.optional(),
  /** Where a GPU host's jobs are: what waits there needs its models first. */
  TABLE_PREFIX: z.string().optional(),
  IMAGES_BUCKET: z.string().min(1).optional(),
  /** The bucket that the seed fills and GPU hosts read. */
  MODELS_BUCKET: z.string().min(1).optional(),
  /** ComfyUI's `models` on a GPU host. */
  MODELS_PATH: z.string().min(1).optional(),
  /** As the hub's own programs name them. */
  HF_ENDPOINT: address.default('https://huggingface.co'),
  HF_TOKEN: z.string().optional(),
  /** The SSM parameter with the token, where no variable has it. */
  HUB_TOKEN_PARAMETER: z.string().min(1).optional(),
});

/** `npm run models`, and what brings the models to a GPU host. */
export function modelsSettings(environment: Environment): z.infer<typeof modelsSchema> {
  return read(modelsSchema, environment);
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
