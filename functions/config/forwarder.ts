// Settings of the forwarder, as a process and as a Lambda function.

import * as z from 'zod/mini';
import { deployedTables, storage } from './storage.ts';
import { type Environment, type EnvironmentOf, read, setting } from './setting.ts';
import { PORT, port } from './values.ts';

export const forwarderProcess = {
  FORWARDER_PORT: setting(z._default(port, 5001), PORT, 'where the forwarder listens, on this machine alone'),
  ...storage,
};
export const forwarderSettings = (environment: Environment) => read(forwarderProcess, environment);

export const forwarderLambda = deployedTables;
export type ForwarderLambdaEnvironment = EnvironmentOf<typeof forwarderLambda>;
export const forwarderLambdaSettings = (environment: Environment) => read(forwarderLambda, environment);
