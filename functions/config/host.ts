// Settings of the GPU host's process, and those that it needs besides on EC2.

import * as z from 'zod/mini';
import { SLOTS_PER_HOST } from '../core/limits.ts';
import { api } from './api.ts';
import { comfyui } from './comfyui.ts';
import { group } from './controller.ts';
import { workspace } from './local.ts';
import { endpoint, metrics, storage } from './storage.ts';
import { noTimings } from './timings.ts';
import {
  type Environment,
  type EnvironmentOf,
  read,
  setting,
  type SettingsOf,
  withSchema,
} from './setting.ts';
import { address, PORT, port, text, whole } from './values.ts';

export const hostProcess = {
  ...comfyui,
  INTAKE_HOST: setting(
    z._default(text, '127.0.0.1'),
    'must be an address of this machine',
    'where the host listens for offers of the forwarder',
  ),
  INTAKE_PORT: setting(z._default(port, 5002), PORT, 'where the host listens for offers of the forwarder'),
  INTAKE_URL: setting(
    z.optional(address),
    'must be an address that the forwarder reaches, such as http://10.0.0.7:5002',
    'where the forwarder reaches the intake',
    { otherwise: 'where it listens' },
  ),
  SLOTS: setting(
    z._default(whole(1, 64), SLOTS_PER_HOST),
    'must be a whole number from 1 to 64',
    'jobs that one host holds: one runs, the others wait in its ComfyUI; `npm start` with one ComfyUI holds more while they are short',
  ),
  MODELS_READY: setting(
    z.optional(text),
    'must be a file',
    'a file that is there once all models are: until then the host claims what it has the models of',
    { otherwise: 'all models are there' },
  ),
  WORKFLOWS_PATH: { ...api.WORKFLOWS_PATH, means: 'a folder of templates; a host warms up with one of them' },
  // The workspace has the machine's identity and its lock.
  ...workspace,
  USD_PER_HOUR: setting(
    z.optional(z.coerce.number().check(z.nonnegative())),
    'must be a price in US dollars, such as 2.24',
    'of this machine: with it every job says what it cost',
  ),
  AUTO_SCALING_GROUP: withSchema(group.AUTO_SCALING_GROUP, z.optional(text)),
  ...storage,
  ...metrics,
};
export const hostSettings = (environment: Environment) => read(hostProcess, environment);

/** A host on EC2 is its instance, ends itself when idle, and is replaced when its release is not the wanted one. */
export const machineHost = {
  ...hostProcess,
  ...noTimings,
  ...group,
  INSTANCE_ID: setting(
    z.string().check(z.regex(/^i-[0-9a-f]{8,17}$/)),
    'must be the id of this EC2 instance, such as i-0123456789abcdef0',
    'this machine, which is also the host’s name',
  ),
  AVAILABILITY_ZONE: setting(
    z.optional(text),
    'must be a zone such as us-east-1a',
    'where this instance is: operators see it with the host',
    { otherwise: 'it is not shown' },
  ),
  IDLE_MINUTES: setting(
    z.coerce.number().check(z.positive()),
    'must be a number of minutes above 0',
    'after which a host that has nothing to do ends its machine',
  ),
  LAUNCHED_AT: setting(
    z.optional(z.iso.datetime()),
    'must be a time such as 2026-11-23T11:00:00Z',
    'when the instance was launched: what a start costs is measured from there',
    { otherwise: 'it is not measured' },
  ),
  BOOT_REPORT: setting(
    z.optional(text),
    'must be a file',
    'a JSON file in which the boot wrote how many seconds each of its parts took',
  ),
  AWS_ENDPOINT_URL_AUTO_SCALING: endpoint('Auto Scaling', 'http://127.0.0.1:5001'),
  AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint('the metadata service of EC2', 'http://127.0.0.1:1338'),
};
export type MachineHostEnvironment = EnvironmentOf<typeof machineHost> & { IDLE_MINUTES: string };
export type MachineSettings = SettingsOf<typeof machineHost>;
export const machineHostSettings = (environment: Environment): MachineSettings =>
  read(machineHost, environment);
