// The launch template's user data: infra/host/user-data.sh with the host's settings in it. What those may be, and what
// the script does with them, stands in infra/host/README.md.

import { createHash } from 'node:crypto';
import type { MachineHostEnvironment } from '../functions/config/host.ts';

/** What only the instance knows it asks itself; the rest comes from here. */
export type HostSettings = Omit<MachineHostEnvironment, 'INSTANCE_ID' | 'USD_PER_HOUR' | 'LAUNCHED_AT'> & {
  AWS_REGION: string;
  TABLE_PREFIX: string;
  IMAGES_BUCKET: string;
  METRICS_NAMESPACE: string;
  COMFYUI_VERSION: string;
  MODELS_BUCKET: string;
  /** `s3://bucket/key.zip` */
  HOST_ASSET: string;
  USD_PER_HOUR_BY_TYPE: string;
  /** Where the host's log goes, and its metrics with it. */
  LOG_GROUP: string;
};

/** Of a machine that installs ComfyUI for the hosts: into the archive, or on their image. */
export type BuilderSettings = Pick<
  HostSettings,
  'AWS_REGION' | 'COMFYUI_VERSION' | 'MODELS_BUCKET' | 'HOST_ASSET'
> & { BOOT: 'build' | 'image' };

/** Of a machine that seeds the models bucket. */
export type SeederSettings = Pick<HostSettings, 'AWS_REGION' | 'MODELS_BUCKET' | 'HOST_ASSET'> & {
  BOOT: 'seed';
  HUB_TOKEN_PARAMETER: string;
};

type WithoutPlaces<One> = One extends unknown ? Omit<One, 'AWS_REGION' | 'HOST_ASSET'> : never;
/** What a machine that ends itself is told of what it is to do. */
export type OneThing = WithoutPlaces<BuilderSettings | SeederSettings>;

const PLACE = /^@SETTINGS@$/m;
/** EC2's limit, of the text before it is encoded. */
const MOST_BYTES = 16 * 1024;

/** @throws Error where the template has no place for the settings, or a value that bash and systemd read differently */
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

/** Tokens of CDK are `${Token[…]}` until they are resolved, and become names that AWS gave. */
function plain(name: string, value: string): string {
  const known = value.replaceAll(/\$\{Token\[[\w.:-]+\]\}/g, '');
  if (!/^[\w./:=,@+-]*$/.test(known)) throw new Error(`${name} cannot stand in a host's settings: ${value}`);
  return value;
}

/** Hosts of another release are rolled: it is what they run, and nothing that a setting changes. */
export function releaseOf(bundleHash: string, comfyuiVersion: string, template: string): string {
  return createHash('sha256')
    .update([bundleHash, comfyuiVersion, template].join('\0'))
    .digest('hex')
    .slice(0, 16);
}
