// What the façade's parts are given, and what each call of a tool brings.

import type { Context } from 'hono';
import type { JobState } from '../../core/job.ts';
import type { ApiEnv } from '../deps.ts';
import type { FacadeDeps } from '../facade/deps.ts';
import type * as sdk from './sdk.ts';

export type Sdk = typeof sdk;

export interface McpDeps extends FacadeDeps {
  sdk: Sdk;
}

export interface Call {
  c: Context<ApiEnv>;
  /** Does the client take a task in place of a result? */
  takesTasks: boolean;
  /** Says how far a job is, where the client asked for it. */
  progress(state: JobState): void;
}
