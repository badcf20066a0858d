// Which API a command talks to: API_URL, else the local one that runs, else one started for this command alone. Follows
// a local one that comes back elsewhere; knows nothing of jobs.

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
  /** Whether it is the one of this workspace, and whether its images are simulated. */
  local?: { simulated: boolean };
  /** There where this command started it. */
  stop?(): Promise<void>;
}

export interface Connection {
  readonly api: Api;
  /** Looks where a silent API is now. */
  again(): Promise<void>;
  stop(): Promise<void>;
}

const HEALTH_LIMIT = 2000;
/** Somebody else's start, or end, may take so long. */
const WORKSPACE_BUSY_LIMIT = 20_000;
const SILENCE_LIMIT = 30_000;
const PAUSE = 250;

/** The API that runs already; undefined: there is none. */
export async function findApi(environment: Environment): Promise<FoundApi | undefined> {
  const { API_URL, API_KEY } = cliSettings(environment);
  if (API_URL !== undefined)
    return { api: createApi(API_URL, API_KEY, '; check API_URL, or leave it out to use a local one') };
  const url = await runningApi(localSettings(environment).WORKSPACE_PATH);
  if (url === undefined) return undefined;
  // 503 only says that ComfyUI is silent: the API runs, and keeps the job until it comes.
  const health = await fetch(`${url}/api/health`, {
    headers: API_KEY === undefined ? {} : { 'x-api-key': API_KEY },
    signal: AbortSignal.timeout(HEALTH_LIMIT),
  })
    .then(async (response) => {
      // It runs, and says what it lacks better than a start of another would.
      if (response.status === 401) return { status: 'closed' };
      return (await response.json()) as { status?: unknown; simulated?: unknown } | null;
    })
    .catch(() => undefined);
  if (typeof health?.status !== 'string') return undefined;
  return { api: createApi(url, API_KEY), local: { simulated: health.simulated === true } };
}

/** @param found what `findApi` found: without it one is started. @throws AppError for whatever a person can mend */
export async function connect(found: FoundApi | undefined, environment: Environment): Promise<Connection> {
  let current = found ?? (await findOrStart(environment, Date.now() + WORKSPACE_BUSY_LIMIT));
  return {
    get api() {
      return current.api;
    },
    async again() {
      if (!current.local || current.stop) return;
      const elsewhere = await findApi(environment);
      // Its jobs are still in the workspace: whoever opens that goes on with them. Where they were a real
      // ComfyUI's, a start with the settings of this terminal could have them simulated.
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

/** Undefined: another process has the workspace, and `insist` is not set. */
async function start(environment: Environment, insist = false): Promise<FoundApi | undefined> {
  try {
    // Any free port, unless one is asked for: nobody has to know it.
    const settings = localSettings({ ...environment, API_PORT: environment['API_PORT'] || '0' });
    const { url, comfyui, stop } = await startLocalStack(settings);
    return { api: createApi(url, cliSettings(environment).API_KEY), local: comfyui, stop };
  } catch (error) {
    const taken = error instanceof AppError && error.details?.field === 'WORKSPACE_PATH';
    if (taken && error.code === 'in_use' && !insist) return undefined;
    throw error;
  }
}

/**
 * Asks until there is an answer, for 30 s of silence at most.
 * @param onSilence told each time that nothing came; @param stopped ends the asking between two tries
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
