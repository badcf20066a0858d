// The launch template's user data: infra/host/user-data.sh with the host's settings filled in. The settings and their use
// are documented in infra/host/README.md.

import { createHash } from 'node:crypto';
import type { MachineHostEnvironment } from '../functions/config/host.ts';

/** The settings from CDK; the instance reads the rest from its own metadata. */
export type HostSettings = Omit<
  MachineHostEnvironment,
  'INSTANCE_ID' | 'AVAILABILITY_ZONE' | 'USD_PER_HOUR' | 'LAUNCHED_AT'
> & {
  AWS_REGION: string;
  TABLE_PREFIX: string;
  IMAGES_BUCKET: string;
  METRICS_NAMESPACE: string;
  COMFYUI_VERSION: string;
  MODELS_BUCKET: string;
  /** `s3://bucket/key.zip` */
  HOST_ASSET: string;
  USD_PER_HOUR_BY_TYPE: string;
  /** The log group of the host's log and metrics. */
  LOG_GROUP: string;
};

/** Of the builder or the image machine: ComfyUI goes into the archive, or into the image. */
export type BuilderSettings = Pick<
  HostSettings,
  'AWS_REGION' | 'COMFYUI_VERSION' | 'MODELS_BUCKET' | 'HOST_ASSET'
> & { BOOT: 'build' | 'image' };

/** Of the seeder, which fills the models bucket. */
export type SeederSettings = Pick<HostSettings, 'AWS_REGION' | 'MODELS_BUCKET' | 'HOST_ASSET'> & {
  BOOT: 'seed';
  HUB_TOKEN_PARAMETER: string;
};

type WithoutPlaces<One> = One extends unknown ? Omit<One, 'AWS_REGION' | 'HOST_ASSET'> : never;
/** The settings of a one-shot machine. */
export type OneThing = WithoutPlaces<BuilderSettings | SeederSettings>;

const PLACE = /^@SETTINGS@$/m;
/** EC2's limit in bytes, before the encoding in base64. */
const MOST_BYTES = 16 * 1024;

/** @throws Error if the template has no place for the settings, or if bash and systemd would read a value differently */
export function userData(
  template: string,
  settings: HostSettings | BuilderSettings | SeederSettings,
): string {
  if (!PLACE.test(template)) throw new Error('infra/host/user-data.sh has no line @SETTINGS@.');
  const lines = Object.entries(settings).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${plain(name, value)}`],
  );
  const text = template.replace(PLACE, () => lines.join('\n'));
  if (Buffer.byteLength(text) > MOST_BYTES) throw new Error('infra/host/user-data.sh is over 16 KB.');
  return text;
}

/** CDK tokens are `${Token[…]}` until they are resolved, and then names that AWS gave. */
function plain(name: string, value: string): string {
  const known = value.replaceAll(/\$\{Token\[[\w.:-]+\]\}/g, '');
  if (!/^[\w./:=,@+-]*$/.test(known)) throw new Error(`${name} cannot stand in a host's settings: ${value}`);
  return value;
}

/** Identifies what hosts run, not their settings; the controller replaces hosts of another release. */
export function releaseOf(bundleHash: string, comfyuiVersion: string, template: string): string {
  return createHash('sha256')
    .update([bundleHash, comfyuiVersion, template].join('\0'))
    .digest('hex')
    .slice(0, 16);
}
