// The API that a command uses: API_URL, else the local one that runs, else one started for this command. Follows a local API
// that restarts at another address; has no knowledge of jobs.

import { setTimeout as sleep } from 'node:timers/promises';
import { cliSettings } from '../config/cli.ts';
import { localSettings } from '../config/local.ts';
import { AppError } from '../core/errors.ts';
import { startLocalStack } from '../local/local-stack.ts';
import { runningApi } from '../local/workspace.ts';
import { type Api, createApi, NoAnswer } from './api.ts';

type Environment = Record<string, string | undefined>;

export interface FoundApi {
  api: Api;
  /** Present for the API of this workspace; `simulated`: its images are. */
  local?: { simulated: boolean };
  /** Present if this command started the API. */
  stop?(): Promise<void>;
}

export interface Connection {
  readonly api: Api;
  /** Present for the API of this workspace. */
  readonly local: FoundApi['local'];
  /** Finds a silent local API at its new address; starts one if none runs and its images were simulated. */
  again(): Promise<void>;
  stop(): Promise<void>;
}

const HEALTH_LIMIT = 2000;
/** How long another process may hold the workspace while it starts or ends, ms. */
const WORKSPACE_BUSY_LIMIT = 20_000;
const SILENCE_LIMIT = 30_000;
const PAUSE = 250;

/** The API that runs already; undefined: none runs. */
export async function findApi(environment: Environment): Promise<FoundApi | undefined> {
  const { API_URL, API_KEY } = cliSettings(environment);
  if (API_URL !== undefined)
    return { api: createApi(API_URL, API_KEY, '; check API_URL, or leave it out to use a local one') };
  const url = await runningApi(localSettings(environment).WORKSPACE_PATH);
  if (url === undefined) return undefined;
  // A 503 means only that ComfyUI is silent: the API runs and keeps the job until ComfyUI answers.
  const health = await fetch(`${url}/api/health`, {
    headers: API_KEY === undefined ? {} : { 'x-api-key': API_KEY },
    signal: AbortSignal.timeout(HEALTH_LIMIT),
  })
    .then(async (response) => {
      // The API runs; its own refusal explains the missing key better than the start of another one.
      if (response.status === 401) return { status: 'closed' };
      return (await response.json()) as { status?: unknown; simulated?: unknown } | null;
    })
    .catch(() => undefined);
  if (typeof health?.status !== 'string') return undefined;
  return { api: createApi(url, API_KEY), local: { simulated: health.simulated === true } };
}

/** @param found the result of `findApi`; undefined: an API is started. @throws AppError for what the user can correct */
export async function connect(found: FoundApi | undefined, environment: Environment): Promise<Connection> {
  let current = found ?? (await findOrStart(environment, Date.now() + WORKSPACE_BUSY_LIMIT));
  return {
    get api() {
      return current.api;
    },
    get local() {
      return current.local;
    },
    async again() {
      if (!current.local || current.stop) return;
      const elsewhere = await findApi(environment);
      // Its jobs are still in the workspace, and the next process that opens it continues them. If a real ComfyUI ran
      // them, a start with the settings of this terminal could run them simulated.
      if (elsewhere ?? !current.local.simulated) current = elsewhere ?? current;
      else current = (await start(environment)) ?? current;
    },
    stop: async () => current.stop?.(),
  };
}

async function findOrStart(environment: Environment, until: number): Promise<FoundApi> {
  for (;;) {
    const open = (await start(environment, Date.now() > until)) ?? (await findApi(environment));
    if (open) return open;
    await sleep(PAUSE);
  }
}

/** @returns undefined if another process has the workspace and `insist` is not set */
async function start(environment: Environment, insist = false): Promise<FoundApi | undefined> {
  try {
    // Any free port unless API_PORT is set: the user does not need the number.
    const settings = localSettings({ ...environment, API_PORT: environment['API_PORT'] || '0' });
    const { url, comfyuis, stop } = await startLocalStack(settings);
    return { api: createApi(url, cliSettings(environment).API_KEY), local: (await comfyuis)[0], stop };
  } catch (error) {
    const taken = error instanceof AppError && error.details?.field === 'WORKSPACE_PATH';
    if (taken && error.code === 'in_use' && !insist) return undefined;
    throw error;
  }
}

/**
 * Repeats a request until it is answered, for 30 s of silence at most.
 * @param onSilence called after each try without an answer; @param stopped ends the retries
 */
export async function persist<Answer>(
  connection: Connection,
  ask: (api: Api) => Promise<Answer>,
  { onSilence, stopped }: { onSilence(): void; stopped: AbortSignal },
): Promise<Answer> {
  const until = Date.now() + SILENCE_LIMIT;
  for (;;) {
    try {
      return await ask(connection.api);
    } catch (error) {
      if (!(error instanceof NoAnswer) || Date.now() > until) throw error;
    }
    onSilence();
    await sleep(PAUSE, undefined, { signal: stopped });
    await connection.again();
  }
}
