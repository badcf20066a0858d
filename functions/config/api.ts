// The API's settings, common to all ways to run it, and those of its process.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { AppError } from '../core/errors.ts';
import { OPEN_CONNECTIONS, JOB_KEPT, MAX_WAITING } from '../core/limits.ts';
import { ownerLimits } from './owner-limits.ts';
import { storage } from './storage.ts';
import { type Environment, read, setting, type SettingsOf } from './setting.ts';
import { address, addressLike, FLAG, flag, PORT, port, text, whole } from './values.ts';

/** Without a trailing slash. */
const publicUrl = z.pipe(
  address.check(z.refine((url) => URL.canParse(url) && new URL(url).search === '')),
  z.transform((url) => new URL(url).origin + new URL(url).pathname.replace(/\/+$/, '')),
);

export const origins = z.pipe(
  text,
  z.transform((list) => list.split(',').map((one) => one.trim())),
);

const pageFolder = text.check(z.refine((folder) => existsSync(join(folder, 'index.html'))));

const DAY = 24 * 60 * 60_000;

/** Of an API that runs as a process, also within `npm start`. */
export const listening = {
  API_HOST: setting(
    z._default(text, '127.0.0.1'),
    'must be an address of this machine',
    'where the API listens; off loopback set `API_KEYS=required`',
  ),
  API_PORT: setting(z._default(port, 5000), PORT, 'where the API listens; `0`: any free port'),
  COMFYUI_API_PORT: setting(
    z.optional(port),
    PORT,
    'where ComfyUI’s own wire is served beside the API, such as `8288`, for its clients; `0`: any free port',
    { otherwise: 'it is not served' },
  ),
  COMFYUI_API_PAGE: setting(
    z.optional(pageFolder),
    'must be a folder that has an index.html, as the folder static of the package comfyui-frontend-package',
    'the folder of ComfyUI’s own page, served with ComfyUI’s wire',
    { otherwise: 'the wire has no page' },
  ),
  PUBLIC_URL: setting(
    z.optional(publicUrl),
    addressLike('https://images.example.com'),
    'where image links point; it may have a path, which the proxy takes off again',
    { otherwise: 'the address that the request came to' },
  ),
  ALLOWED_HOSTS: setting(
    z.pipe(
      z._default(text, ''),
      z.transform((list) => list.split(/[\s,]+/).filter((one) => one !== '')),
    ),
    'must be host names, separated by commas',
    'names by which an API without keys is called, beside `localhost`, addresses and `PUBLIC_URL`’s',
  ),
  API_KEYS: setting(
    z._default(z.enum(['required', 'none']), 'none'),
    'must be required or none',
    '`required`: every call needs a key, in `Authorization: Bearer` or `X-API-Key`; `npm run keys -- create` draws one',
  ),
};

export const api = {
  WORKFLOWS_PATH: setting(
    z.optional(text),
    'must be the folder with the workflows',
    'a folder of templates; a change is taken over within seconds',
    { otherwise: 'the `workflows` of this package' },
  ),
  ALLOWED_ORIGINS: setting(
    z.optional(origins),
    'must be * or origins such as https://example.com, separated by commas',
    'whose pages may call, separated by commas; without keys no other page is answered',
    { otherwise: 'none; with keys `*`' },
  ),
  KEEP_DAYS: setting(
    // Days in the environment, ms in the settings.
    z.pipe(
      z._default(z.coerce.number().check(z.positive(), z.maximum(3650)), JOB_KEPT / DAY),
      z.transform((days) => days * DAY),
    ),
    'must be a number of days above 0, at most 3650',
    'how long jobs, images and uploads are kept',
  ),
  INPUT_URLS: setting(
    z._default(z.enum(['public', 'private', 'off']), 'public'),
    'must be public, private or off',
    'inputs may be named by an https address: of public hosts, with `private` also of private ones and by plain http (for a network of one’s own), or not at all',
  ),
  RUNPOD_OUTPUT: setting(
    z._default(z.enum(['base64', 's3_url']), 'base64'),
    'must be base64 or s3_url',
    'what RunPod’s clients (`/v2`) get of a file: its bytes, or a link to it',
  ),
  COMFYUI_API_POLLED: setting(
    z.prefault(flag, 'false'),
    FLAG,
    'ComfyUI’s own wire is served below `/comfyui` of the API too, for clients that poll: it has no WebSocket there',
  ),
  ...ownerLimits,
  OPEN_CONNECTIONS: setting(
    z._default(whole(0, 100_000), OPEN_CONNECTIONS),
    'must be a whole number from 0 to 100000',
    'so many event streams and requests that wait are held at once, three quarters of them by one owner of keys; past it they answer at once',
  ),
};

export const waiting = {
  MAX_WAITING: setting(
    z._default(whole(1), MAX_WAITING),
    'must be a whole number above 0',
    'jobs that may wait, of all owners; more are refused',
  ),
};

export const webhookReach = {
  WEBHOOK_ALLOW_PRIVATE: setting(
    z.prefault(flag, 'false'),
    FLAG,
    'webhooks may go to plain http and to private addresses: for tests, and for a machine of one’s own',
  ),
};

export const forwarderPlace = {
  FORWARDER_URL: setting(
    z.optional(address),
    addressLike('http://127.0.0.1:5001'),
    'the forwarder, which is notified of a new job at once',
    { otherwise: 'no process is notified' },
  ),
};

/** With API keys pages of any origin may call; without keys only the origins that are named. */
export function allowedOriginsOf(settings: {
  ALLOWED_ORIGINS?: string[] | undefined;
  API_KEYS: 'required' | 'none';
}): string[] {
  return settings.ALLOWED_ORIGINS ?? (settings.API_KEYS === 'required' ? ['*'] : []);
}

export const apiProcess = {
  ...listening,
  ...api,
  ...waiting,
  ...webhookReach,
  ...forwarderPlace,
  FIXED_COMFYUI: setting(
    z.prefault(flag, 'false'),
    FLAG,
    '`true`: one ComfyUI that should always answer, rather than a fleet that may sleep',
  ),
  ...storage,
};
export type ApiSettings = SettingsOf<typeof apiProcess>;

export function apiSettings(environment: Environment): ApiSettings {
  const settings = read(apiProcess, environment);
  checkPage(settings);
  return settings;
}

/** @throws AppError bad_setting */
export function checkPage({
  COMFYUI_API_PAGE: page,
  COMFYUI_API_PORT: port,
}: SettingsOf<typeof listening>): void {
  if (page !== undefined && port === undefined)
    throw new AppError(
      'bad_setting',
      'COMFYUI_API_PAGE is served with ComfyUI’s wire: set COMFYUI_API_PORT too',
    );
}
