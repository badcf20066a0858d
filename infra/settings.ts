// All settings of a deployment, typed, from cdk.json's context or `-c name=value` on the command line. A bad value is refused
// with one sentence; nothing is guessed.

import { SpotAllocationStrategy } from 'aws-cdk-lib/aws-autoscaling';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as z from 'zod';
import { objectOf, setting, type SettingsOf } from '../functions/config/setting.ts';
import { valueInWords } from '../functions/core/secrets.ts';
import { MAX_RESERVATIONS } from '../functions/core/quota.ts';
import { readWarm } from '../functions/core/warm-schedule.ts';
import { regionCode, usualZones, ZONE_ID, ZONES_WITHOUT_LAMBDA } from '../functions/core/zones.ts';

/** Thrown before synthesis; its message addresses the person who typed the value. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

/** `-c` gives text: numbers, flags and lists are parsed from it, and an empty text is an absent value. */
const number = z.coerce.number();
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);
const absent = z.literal('').transform(() => undefined);
const list = z.union([z.array(z.string()), z.string().transform(splitList)]);

/** NVIDIA on x86_64, which the machine image supports; the g5g family is ARM. */
const GPU_TYPE = /^(g[4-9](?!g\.)[a-z]*|p[3-9][a-z]*)\.(\d*xlarge|metal)$/;
const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;

/** Retentions that CloudWatch Logs accepts, days. */
const LOG_DAYS = Object.values(RetentionDays)
  .map(Number)
  .filter((days) => days <= 3653);

/** USD per hour, by region, then by instance type. */
const prices = z.record(z.string().regex(REGION), z.record(z.string(), z.number().nonnegative()));

/** Either in the order of instanceTypes where there is capacity, or the cheapest of them. */
const SPOT_STRATEGIES = [
  SpotAllocationStrategy.CAPACITY_OPTIMIZED_PRIORITIZED,
  SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED,
] as const;

/** Each name of cdk.json's context, once: its parser, the sentence that refuses a bad value, and its effect. */
export const deployment = {
  name: setting(
    z.string().regex(/^[a-z][a-z0-9-]{0,18}[a-z0-9]$/),
    'must be 2 to 20 small letters, digits and dashes, such as comfyui',
    'of the deployment: what the names of its stacks, tables and functions begin with',
  ),
  region: setting(z.string().regex(REGION), 'must be a region such as us-east-1', 'where it is deployed'),
  zones: setting(
    list.pipe(z.array(z.string().regex(ZONE_ID))),
    'must be a list of ids of zones such as ["use1-az1", "use1-az4"], which npm run doctor lists, or [] for the usual ones',
    'where hosts are launched; `npm run doctor` says which zones have the instance types',
  ),
  forwarderZones: setting(
    list.pipe(z.array(z.string().regex(ZONE_ID))),
    'must be a list of ids of zones such as ["use1-az1", "use1-az2"], or [] for the usual ones',
    'where the forwarder is, which stays there while `zones` change',
  ),
  instanceTypes: setting(
    list.pipe(z.array(z.string().regex(GPU_TYPE)).min(1).max(20)),
    'must be a list of x86_64 GPU instance types, best first, such as ["g6e.2xlarge"]',
    'of GPU hosts, best first',
  ),
  usdPerHour: setting(
    z.union([prices, z.string().transform(readJson).pipe(prices)]),
    'must be prices in US dollars by region and instance type, such as {"us-east-1": {"g6e.2xlarge": 2.24}}',
    'from them each job says its cost, and limits in dollars are counted',
  ),
  spot: setting(flag, 'must be true or false', 'hosts are spot instances; on demand where there are none'),
  spotStrategy: setting(
    z.enum(SPOT_STRATEGIES),
    `must be ${SPOT_STRATEGIES.join(' or ')}`,
    'by the order of `instanceTypes` where there is capacity, or the cheapest of those',
  ),
  maxHosts: setting(
    number.int().min(0).max(1000),
    'must be a whole number from 0 to 1000',
    'most GPU hosts at once: the bound of what it costs',
  ),
  hostsPerShard: setting(
    number.int().min(1).max(1000),
    'must be a whole number from 1 to 1000',
    'for so many hosts the index of waiting jobs has one key',
  ),
  minHosts: setting(
    number.int().min(0).max(1000),
    'must be a whole number from 0 to 1000',
    'GPU hosts that stay up, whatever there is to do',
  ),
  warm: setting(
    z.string(),
    'must be spans such as "mon-fri 08:00-18:00 Europe/Berlin=1", separated by semicolons, or empty',
    'a schedule of hosts that stay up',
  ),
  idleMinutes: setting(
    number.min(1).max(1440),
    'must be a number of minutes from 1 to 1440',
    'after which a host that has nothing to do ends itself',
  ),
  slots: setting(
    number.int().min(1).max(64),
    'must be a whole number from 1 to 64',
    'jobs that one host holds: one runs, the others wait in its ComfyUI',
  ),
  imageMetadata: setting(
    z.enum(['keep', 'strip']),
    'must be keep or strip',
    '`IMAGE_METADATA` of the hosts: whether images keep the graph, with the prompt, that ComfyUI writes into them',
  ),
  warmUp: setting(flag, 'must be true or false', 'a host runs one small step before its first job'),
  bakedImage: setting(
    flag,
    'must be true or false',
    'hosts are launched from an image of their own, which `npm run image` makes',
  ),
  rootGb: setting(
    number.int().min(80).max(2000),
    'must be a whole number of GB from 80 to 2000',
    'the root disk of a host',
  ),
  comfyuiVersion: setting(
    z.string().regex(/^\d+\.\d+\.\d+$/),
    'must be a version of ComfyUI such as 0.33.0',
    'the ComfyUI that hosts install',
  ),
  amiParameter: setting(
    z.string().regex(/^\/[\w./-]+$/),
    'must be the name of an SSM parameter that holds an AMI id',
    'the machine image that hosts begin with',
  ),
  imageDays: setting(
    number.int().min(1).max(3650),
    'must be a whole number of days from 1 to 3650',
    'how long jobs, images and uploads are kept',
  ),
  maxWaiting: setting(
    number.int().min(1).max(1_000_000),
    'must be a whole number from 1 to 1000000',
    'jobs that may wait, of all owners; more are refused',
  ),
  openConnections: setting(
    number.int().min(0).max(1000),
    'must be a whole number from 0 to 1000',
    'event streams and requests that wait, held at once; each keeps one of `lambdaConcurrency` to itself',
  ),
  comfyuiApi: setting(
    flag,
    'must be true or false',
    'ComfyUI’s own wire is served at `/comfyui` too, for clients of ComfyUI that poll',
  ),
  runpodOutput: setting(
    z.enum(['base64', 's3_url']),
    'must be base64 or s3_url',
    '`RUNPOD_OUTPUT` of the API: what RunPod’s clients (`/v2`) get of a file, its bytes or a link to it',
  ),
  ratePerMinute: setting(
    number.int().min(1).max(60_000),
    'must be a whole number of requests from 1 to 60000',
    'what each owner may ask for in a minute',
  ),
  readsPerMinute: setting(
    number.int().min(1).max(60_000),
    'must be a whole number of requests from 1 to 60000',
    'what each owner may read, cancel and remove in a minute, counted by each instance of the function',
  ),
  ownerMaxWaiting: setting(
    number.int().min(0).max(MAX_RESERVATIONS),
    `must be a whole number of jobs from 0 to ${MAX_RESERVATIONS}`,
    'jobs of an owner that have not ended',
  ),
  imagesPerDay: setting(
    z.union([absent, number.int().min(0)]),
    'must be a whole number of images from 0, or empty for no limit',
    'images of an owner in a day',
  ),
  usdPerMonth: setting(
    z.union([absent, number.min(0)]),
    'must be a number of US dollars from 0, or empty for no limit',
    'what jobs of an owner may cost in a month',
  ),
  ownerUploadMb: setting(
    number.int().min(0).max(1_000_000_000),
    'must be a whole number of MB from 0 to 1000000000',
    'what each owner may keep of uploads, in MB',
  ),
  allowedOrigins: setting(
    z.string().regex(/^(\*|https?:\/\/[^\s,/]+(\s*,\s*https?:\/\/[^\s,/]+)*)$/),
    'must be * or origins such as https://example.com, separated by commas',
    'whose pages may call',
  ),
  domainName: setting(
    z.union([absent, z.string().regex(/^([a-z0-9-]+\.)+[a-z]{2,}$/)]),
    'must be a host name such as images.example.com, or empty',
    'a name of your own for the API, with `certificateArn`',
  ),
  certificateArn: setting(
    z.union([absent, z.string().regex(/^arn:aws:acm:us-east-1:\d{12}:certificate\/[0-9a-f-]{36}$/)]),
    'must be the ARN of a certificate in us-east-1, where CloudFront looks for it whatever the region, or empty',
    'the certificate of `domainName`',
  ),
  endpoint: setting(
    z.enum(['cloudfront', 'function-url']),
    'must be cloudfront, or function-url for an account that may have no CloudFront yet',
    'what callers reach',
  ),
  keyVersion: setting(
    number.int().min(1).max(9999),
    'must be a whole number from 1; the next one makes a new API key',
    'the next one makes a new API key and a new origin secret',
  ),
  previousKey: setting(
    z.enum(['accepted', 'refused']),
    'must be accepted or refused',
    'whether the key before `keyVersion` is still taken',
  ),
  lambdaConcurrency: setting(
    number.int().min(10).max(1_000_000),
    "must be a whole number from 10, the account's limit of concurrent executions; npm run doctor says it",
    'the account’s limit of concurrent executions; the alarms go by it',
  ),
  apiReservedConcurrency: setting(
    z.union([absent, number.int().min(1).max(1000)]),
    'must be a whole number from 1 to 1000, or empty',
    'what of it the API’s function has, and may have at most',
  ),
  logDays: setting(
    number.refine((days) => LOG_DAYS.includes(days)),
    `must be a number of days that CloudWatch knows: ${LOG_DAYS.join(', ')}`,
    'how long logs are kept',
  ),
  budgetUsd: setting(
    number.positive().max(1_000_000),
    'must be an amount in US dollars above 0',
    'of a month and the whole account: a mail to `alarmMail` when it is nearly spent; nothing is stopped by it',
  ),
  alarmMail: setting(
    z.union([absent, z.email()]),
    'must be a mail address, or empty',
    'where alarms and the budget are sent',
  ),
};

export type Settings = SettingsOf<typeof deployment>;

/** @param context the app's whole context; CDK's own names contain `:`, `/` or `@`. @throws SettingError */
export function readSettings(context: Record<string, unknown>): Settings {
  const own = Object.fromEntries(Object.entries(context).filter(([key]) => /^\w+$/.test(key)));
  const unknown = Object.keys(own).find((key) => !Object.hasOwn(deployment, key));
  if (unknown) {
    throw new SettingError(
      `There is no setting "${unknown}"; there are ${Object.keys(deployment).join(', ')}.`,
    );
  }
  const parsed = objectOf(deployment).safeParse(own);
  if (!parsed.success) {
    const key = String(parsed.error.issues[0]!.path[0]) as keyof Settings;
    const value = own[key];
    const shown =
      typeof value === 'string' ? valueInWords(value) : `it is ${JSON.stringify(value) ?? 'missing'}`;
    throw new SettingError(`${key} ${deployment[key].must}; ${shown}.`);
  }
  const settings = withUsualZones(parsed.data);
  const contradiction = contradictionIn(settings);
  if (contradiction) throw new SettingError(contradiction);
  return settings;
}

/** The forwarder's zones are independent of the hosts', so that it stays in place when host zones change. */
function withUsualZones({ zones, forwarderZones, ...settings }: Settings): Settings {
  const usual = usualZones(settings.region);
  return {
    ...settings,
    zones: zones.length > 0 ? zones : usual,
    forwarderZones: forwarderZones.length > 0 ? forwarderZones : usual.slice(0, 2),
  };
}

function contradictionIn(settings: Settings): string | undefined {
  const { region, usdPerMonth, domainName, certificateArn } = settings;
  for (const name of ['zones', 'forwarderZones'] as const) {
    const zones = settings[name];
    const foreign = zones.find((zone) => !zone.startsWith(`${regionCode(region)}-`));
    if (foreign) return `${name} must lie in the region ${region}; ${foreign} does not.`;
    if (new Set(zones).size !== zones.length) return `${name} must name each zone once.`;
    if (zones.length === 1) return `${name} must be two or more, so that a full zone is not the end; or [].`;
  }
  const without = settings.forwarderZones.find((zone) => ZONES_WITHOUT_LAMBDA.includes(zone));
  if (without) return `forwarderZones must have Lambda; ${without} has none.`;
  const [unpriced] = unpricedTypes(settings);
  if (unpriced && usdPerMonth !== undefined)
    return `usdPerHour must have a price for ${unpriced} in ${region}, or the limit of usdPerMonth would not count its jobs.`;
  const { maxHosts, minHosts } = settings;
  if (minHosts > maxHosts) return `minHosts must be at most maxHosts, which is ${maxHosts}.`;
  const cold = warmProblem(settings);
  if (cold) return cold;
  if (domainName && !certificateArn) return `certificateArn must be given for the domain name ${domainName}.`;
  if (certificateArn && !domainName) return 'domainName must be given with certificateArn.';
  return contradictionOfEndpoint(settings);
}

/** Lambda accepts a reservation only if this many executions stay unreserved. */
const UNRESERVED = 100;

function contradictionOfEndpoint(settings: Settings): string | undefined {
  const { endpoint, domainName, apiReservedConcurrency, lambdaConcurrency } = settings;
  const reservable = lambdaConcurrency - UNRESERVED;
  if (endpoint === 'function-url' && domainName)
    return 'domainName must be empty with endpoint function-url, which has no name of its own.';
  if (apiReservedConcurrency !== undefined && apiReservedConcurrency > reservable)
    return `apiReservedConcurrency must leave ${UNRESERVED} of lambdaConcurrency, which is ${lambdaConcurrency}; ${reservable > 0 ? `it may be ${reservable} at most` : 'leave it empty'}.`;
  if (endpoint === 'function-url' && apiReservedConcurrency === undefined && reservable > 0)
    return `apiReservedConcurrency must be given with endpoint function-url and lambdaConcurrency ${lambdaConcurrency}, such as 20: nothing else bounds what strangers can make the function cost.`;
  return undefined;
}

/** Their jobs report no cost. */
export function unpricedTypes({ region, instanceTypes, usdPerHour }: Settings): string[] {
  return instanceTypes.filter((type) => usdPerHour[region]?.[type] === undefined);
}

function warmProblem({ warm, maxHosts }: Settings): string | undefined {
  try {
    const most = Math.max(0, ...readWarm(warm).map(({ hosts }) => hosts));
    return most > maxHosts ? `warm must ask for at most maxHosts, which is ${maxHosts}.` : undefined;
  } catch (error) {
    return `warm cannot be read: ${(error as Error).message}.`;
  }
}

function splitList(text: string): string[] {
  const parsed = text.startsWith('[') ? readJson(text) : undefined;
  if (Array.isArray(parsed)) return parsed.map(String);
  return text.split(',').flatMap((one) => one.trim() || []);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
