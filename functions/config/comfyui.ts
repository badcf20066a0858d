// The address of ComfyUI, and what happens to its output files.

import * as z from 'zod/mini';
import { type ComfyUIAddress, parseComfyUIAddress, UNREADABLE } from '../core/comfyui-address.ts';
import { AppError } from '../core/errors.ts';
import { valueInWords } from '../core/secrets.ts';
import { setting, type SettingsOf } from './setting.ts';
import { FLAG, flag, PORT, port, text } from './values.ts';

const comfyuiPlace = {
  COMFYUI_HOST: setting(
    z.optional(text),
    'must be a host name or an address',
    'the real ComfyUI: a name, `[::1]:8188`, or `https://user:password@host/path`. With a host set it is meant: jobs wait until it answers',
    { otherwise: 'whatever answers at 127.0.0.1' },
  ),
  COMFYUI_PORT: setting(z.optional(port), PORT, 'of the real ComfyUI', {
    otherwise: '`8188`, or what the address says',
  }),
  COMFYUI_URLS: setting(
    z.optional(text),
    'must be addresses with commas between',
    'several ComfyUIs, such as one for each GPU: `http://127.0.0.1:8188,http://127.0.0.1:8189`. Each has a host of its own, and all are meant: jobs wait for whichever answers and has their nodes and models. Instead of COMFYUI_HOST and COMFYUI_PORT; COMFYUI_PATH is then a folder that they share',
    { otherwise: 'one, at COMFYUI_HOST' },
  ),
  COMFYUI_AUTHORIZATION: setting(
    // A line break or a letter beyond ASCII would appear in the error of each request.
    z.optional(text.check(z.trim(), z.regex(/^[ -~]+$/))),
    'must be the value of an Authorization header, in one line of ASCII, such as Bearer TOKEN',
    'a whole `Authorization` header, where a proxy before ComfyUI asks for one',
    { secret: true },
  ),
};

export const comfyui = {
  ...comfyuiPlace,
  COMFYUI_PATH: setting(
    z.optional(text),
    'must be a folder',
    'ComfyUI’s folder on this machine: inputs are written into it instead of being sent, and what ended jobs leave in it is deleted',
    { otherwise: 'nothing is deleted' },
  ),
  INPUTS_GB: setting(
    z._default(z.coerce.number().check(z.positive()), 10),
    'must be a number of GB above 0',
    'what inputs may take in ComfyUI’s folder while no job reads them: the longest unused go first',
  ),
  COMFYUI_RESTART_COMMAND: setting(
    z.optional(text),
    'must be a command',
    'a shell’s command that restarts a ComfyUI whose queue does not move any more (`systemctl --user restart comfyui`), at most once in five minutes',
  ),
  IMAGE_METADATA: setting(
    z._default(z.enum(['keep', 'strip']), 'keep'),
    'must be keep or strip',
    'ComfyUI writes the whole graph, with the prompt, into every image; `strip` publishes the same pixels without it (PNG, JPEG and WebP; other files keep it, and a note says so)',
  ),
  WARM_UP: setting(
    // Off by default: a person's own ComfyUI has other work.
    z.prefault(flag, 'false'),
    FLAG,
    '`true`: ComfyUI runs one step of one small image before the host takes its first job, which then finds its models loaded. GPU hosts on AWS do it (`warmUp` in `cdk.json`); off here, where ComfyUI may be a person’s own, with a queue of its own',
  ),
};

type Place = SettingsOf<typeof comfyuiPlace>;

/** Of each ComfyUI, at least one. @throws AppError bad_setting, in one sentence without the password */
export function comfyuiAddressesOf(settings: Place): ComfyUIAddress[] {
  const { COMFYUI_HOST, COMFYUI_PORT, COMFYUI_URLS, COMFYUI_AUTHORIZATION: authorization } = settings;
  if (COMFYUI_URLS === undefined)
    return [addressOf('COMFYUI_HOST', COMFYUI_HOST ?? '127.0.0.1', COMFYUI_PORT, authorization)];
  const other = Object.entries({ COMFYUI_HOST, COMFYUI_PORT }).find(([, value]) => value !== undefined)?.[0];
  if (other !== undefined)
    throw new AppError('bad_setting', `COMFYUI_URLS and ${other} are both set; leave one of them out`);
  const addresses = COMFYUI_URLS.split(',').map((one) =>
    addressOf('COMFYUI_URLS', one.trim(), undefined, authorization),
  );
  const twice = addresses.find(({ url }, index) => addresses.findIndex((one) => one.url === url) < index);
  if (twice)
    throw new AppError('bad_setting', `COMFYUI_URLS must name each ComfyUI once; it has ${twice.url} twice`);
  return addresses;
}

function addressOf(name: string, host: string, port?: number, authorization?: string): ComfyUIAddress {
  const parsed = host === '' ? UNREADABLE : parseComfyUIAddress(host, port, authorization);
  if (typeof parsed === 'object') return parsed;
  throw new AppError('bad_setting', `${name} ${parsed}; ${valueInWords(host)}`);
}
