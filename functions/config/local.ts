// Settings of `npm start`, and of every program that starts the same local stack.

import * as z from 'zod/mini';
import { api, checkPage, listening, webhookReach } from './api.ts';
import { comfyui, comfyuiAddressesOf } from './comfyui.ts';
import { log } from './log.ts';
import { type Environment, read, setting, type SettingsOf } from './setting.ts';
import { FLAG, flag, text, whole } from './values.ts';

export const workspace = {
  WORKSPACE_PATH: setting(
    z._default(text, '.workspace'),
    'must be a folder that can be written',
    'jobs and images, and 16 MB in reserve for a full disk; one process at a time',
  ),
};

export const local = {
  ...listening,
  ...comfyui,
  COMFYUI_MODE: setting(
    z._default(z.enum(['auto', 'real', 'simulated']), 'auto'),
    'must be auto, real or simulated',
    '`real`, `simulated`, or `auto`: the real one if it answers, and always in a workspace that has worked with one',
  ),
  ...workspace,
  ...api,
  FIRST_KEY: setting(
    z.prefault(flag, 'false'),
    FLAG,
    'with `API_KEYS=required`: the first start draws a key and shows it once, for a box whose log only its operator reads',
  ),
  ...webhookReach,
  SIMULATED_STEP_MS: setting(
    z._default(whole(0, 60_000), 80),
    'must be a whole number of milliseconds from 0 to 60000',
    'how long a step of the simulated ComfyUI takes',
  ),
  SIMULATED_COMFYUI_VERSION: setting(
    z._default(z.enum(['0.33', '0.8']), '0.33'),
    'must be 0.33 or 0.8',
    'which ComfyUI the simulated one is like on the wire: `0.33` or `0.8`',
  ),
  ...log,
};
export type LocalSettings = SettingsOf<typeof local>;

export function localSettings(environment: Environment): LocalSettings {
  const settings = read(local, environment);
  comfyuiAddressesOf(settings);
  checkPage(settings);
  return settings;
}
