// `npm run smoke`: whether an API does all that its callers ask of it, through whatever stands before it: each line ok or
// what to do, a table of seconds, and nothing left behind. Only composes; exit code 0, 1, or 130 after a signal.

import { AppError } from '../core/errors.ts';
import { explainAndExit, onStopSignal } from '../runtime/exit.ts';
import { CommandError, type Status, type Workflow } from './api.ts';
import { after, type Check, Found, lineOf, ok } from './doctor/check.ts';
import { createAsk } from './smoke/ask.ts';
import { cleanUp } from './smoke/clean.ts';
import { downloadChecks } from './smoke/download.ts';
import { errorChecks } from './smoke/errors.ts';
import { eventsFinding } from './smoke/events.ts';
import { completed, imageFinding, nameOf } from './smoke/jobs.ts';
import { HELP, type Options, parseOptions } from './smoke/options.ts';
import { apiCheck, plainChecks } from './smoke/plain.ts';
import { type Lane, runLanes } from './smoke/run.ts';
import { type Inputs, inputsFor, type Smoke, submit, wanted } from './smoke/smoke.ts';
import { tableOf } from './smoke/table.ts';
import { findTarget } from './smoke/target.ts';
import { upload, uploadFinding } from './smoke/upload.ts';
import { webhookFinding } from './smoke/webhook.ts';
import { say } from './write.ts';

const ROLLED_BACK = 'stands as before the last one, which failed: npm run doctor says why';
const environment = process.env;
const stopping = new AbortController();
const stopped = stopping.signal;

async function smoke(options: Options): Promise<boolean> {
  const from = performance.now();
  const target = await findTarget(options, environment);
  try {
    await say(`The API at ${target.url}, for at most ${options.minutes} minutes`);
    if (target.rolledBack) await say(lineOf('deployment', ok(ROLLED_BACK)));
    const until = Date.now() + options.minutes * 60_000;
    const context: Smoke = {
      ...target,
      ask: createAsk(target.url, target.key, stopped, { until }),
      webhookUrl: options.webhookUrl,
      made: { jobs: new Set(), uploads: new Set() },
      until,
      stopped,
    };
    const timed = await runLanes([{ checks: [apiCheck(context)] }], say);
    // Without it nothing else says anything.
    if (timed[0]!.finding.kind !== 'ok') return false;
    const jobs = new Map<string, Status>();
    try {
      timed.push(...(await runLanes(await lanesOf(context, jobs), sayUnlessStopped)));
    } finally {
      const run = () => cleanUp(context);
      timed.push(...(await runLanes([{ checks: [{ name: 'nothing left', run }] }], say)));
    }
    if (stopped.aborted) return false;
    await say('');
    for (const line of tableOf(timed, jobs, (performance.now() - from) / 1000)) await say(line);
    return timed.every(({ finding }) => finding.kind !== 'next');
  } finally {
    await target.close().catch(async (error: unknown) => {
      if (!(error instanceof Found)) throw error;
      await say(lineOf('keys', error.finding));
    });
  }
}

/** @param jobs filled with what the workflows made, by the name of the check */
async function lanesOf(context: Smoke, jobs: Map<string, Status>): Promise<Lane[]> {
  const workflows = await workflowsOf(context);
  const uploaded = upload(context);
  const inputs = workflows.map((workflow) => inputsFor(workflow, () => uploaded));
  const [first] = inputs as [Promise<Inputs>, ...Promise<Inputs>[]];
  const accepted = inputs.map(async (wish) => submit(context, await wish));
  const made = accepted.map(async (jobId) => completed(context, await jobId));
  // Whoever waits for them says so in a line of its own.
  for (const promise of [uploaded, ...inputs, ...accepted, ...made]) promise.catch(() => undefined);
  const own = workflows.map((workflow, at): Check => {
    const name = nameOf(workflow);
    const run = async () => {
      const status = await made[at]!;
      jobs.set(name, status);
      return imageFinding(context, status, await inputs[at]!);
    };
    return { name, run };
  });
  const events = (jobId: string) => eventsFinding(context, jobId);
  return [
    { checks: [...plainChecks(context), ...errorChecks(context, () => first)] },
    { checks: [{ name: 'upload', run: () => uploadFinding(context, uploaded) }] },
    { checks: [{ name: 'webhook', run: async () => webhookFinding(context, await first) }] },
    { checks: [{ name: 'events', run: () => after(accepted[0]!, 'without a job', events) }] },
    ...own.map((check) => ({ checks: [check] })),
    { after: made[0]!, checks: downloadChecks(context, made[0]!) },
  ];
}

async function workflowsOf({ ask }: Smoke): Promise<Workflow[]> {
  const { body } = wanted(await ask('/api/workflows'), 200, 'GET /api/workflows');
  const names = body['workflows'] as string[];
  return Promise.all(
    names.map(async (name) => {
      const path = `/api/workflows/${encodeURIComponent(name)}`;
      return wanted(await ask(path), 200, `GET ${path}`).body as unknown as Workflow;
    }),
  );
}

/** What was broken off says nothing of the API. */
async function sayUnlessStopped(line: string): Promise<void> {
  if (!stopped.aborted) await say(line);
}

async function main(): Promise<number> {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options.help) {
      await say(HELP.trimEnd());
      return 0;
    }
    const good = await smoke(options);
    return stopped.aborted ? 130 : good ? 0 : 1;
  } catch (error) {
    if (stopped.aborted) return 130;
    if (error instanceof Found) await say(lineOf('deployment', error.finding));
    else if (error instanceof CommandError || error instanceof AppError)
      process.stderr.write(`${error.message}\n`);
    else throw error;
    return 1;
  }
}

const ended = main();
onStopSignal(
  async () => {
    stopping.abort();
    await ended;
  },
  () => 130,
);
try {
  process.exit(await ended);
} catch (error) {
  explainAndExit(error);
}
