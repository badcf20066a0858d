// Settings of the controller, as a process and as a Lambda function, which also raises the number of hosts.

import { HOSTS_PER_SHARD } from '../core/limits.ts';
import { readWarm } from '../core/warm-schedule.ts';
import * as z from 'zod/mini';
import { forwarderPlace } from './api.ts';
import { deployedTables, storage } from './storage.ts';
import { type Environment, type EnvironmentOf, read, setting } from './setting.ts';
import { FLAG, flag, required, text, whole } from './values.ts';

/** Hosts per shard of the queue: a partition limits the reads of one key. */
const hostsPerShard = {
  HOSTS_PER_SHARD: setting(
    z._default(whole(1, 1000), HOSTS_PER_SHARD),
    'must be a whole number of hosts from 1 to 1000',
    'for so many hosts the index of waiting jobs has one key',
  ),
};

export const controllerProcess = {
  SWEEP_EVERY_MS: setting(
    z._default(whole(1, 3_600_000), 5000),
    'must be a whole number of milliseconds from 1 to 3600000',
    'how often it looks for jobs of dead hosts, and for what is too old',
  ),
  ...hostsPerShard,
  ...forwarderPlace,
  ...storage,
};
export const controllerSettings = (environment: Environment) => read(controllerProcess, environment);

export const group = {
  AUTO_SCALING_GROUP: setting(
    required,
    'must be the name of the Auto Scaling group of the GPU hosts',
    'of the GPU hosts; a host process with it is a machine on EC2 and asks for all that such a one needs',
  ),
  RELEASE: setting(
    required,
    'must name the release that hosts should run',
    'a host of another release takes no new job and ends',
  ),
};

const HOSTS = 'must be a whole number from 0 to 1000';

export const controllerLambda = {
  ...deployedTables,
  ...group,
  MAX_HOSTS: setting(whole(0, 1000), HOSTS, 'most hosts at once'),
  MIN_HOSTS: setting(z._default(whole(0, 1000), 0), HOSTS, 'hosts that stay up'),
  WARM: setting(
    z.pipe(
      z._default(text, ''),
      z.transform((spans, context) => {
        try {
          return readWarm(spans);
        } catch (error) {
          context.issues.push({ code: 'custom', message: String(error), input: spans });
          return z.NEVER;
        }
      }),
    ),
    'must be spans such as mon-fri 08:00-18:00 Europe/Berlin=1, separated by semicolons',
    'a schedule of hosts that stay up',
  ),
  ...hostsPerShard,
  SPOT: setting(z.prefault(flag, 'false'), FLAG, 'hosts are spot instances'),
};
export type ControllerLambdaEnvironment = EnvironmentOf<typeof controllerLambda> & { MAX_HOSTS: string };
export const controllerLambdaSettings = (environment: Environment) => read(controllerLambda, environment);
