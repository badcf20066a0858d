// `npm run smoke`: whether an API serves its callers through all proxies before it. Each line is ok or what to do; then a
// table of seconds. Removes what it made. Only composes; exit code 0, 1, or 130 after a signal.

import type { Status, Workflow } from './api.ts';
import { after, type Check, Found, lacking, lineOf, ok } from './doctor/check.ts';
import { runProgram } from './run.ts';
import { createAsk } from './smoke/ask.ts';
import { cleanUp } from './smoke/clean.ts';
import { downloadChecks } from './smoke/download.ts';
import { errorChecks } from './smoke/errors.ts';
import { eventsFinding } from './smoke/events.ts';
import { completed, imageFinding, nameOf } from './smoke/jobs.ts';
import { checkedOptions, type Options, program } from './smoke/options.ts';
import { apiCheck, plainChecks } from './smoke/plain.ts';
import { type Lane, runLanes } from './smoke/run.ts';
import { type Inputs, inputsFor, isMakeable, type Smoke, submit, wanted } from './smoke/smoke.ts';
import { tableOf } from './smoke/table.ts';
import { findTarget } from './smoke/target.ts';
import { upload, uploadFinding } from './smoke/upload.ts';
import { webhookFinding } from './smoke/webhook.ts';
import { say } from './write.ts';

const ROLLED_BACK = 'stands as before the last one, which failed: npm run doctor says why';
const environment = process.env;

async function smoke(options: Options, stopped: AbortSignal): Promise<boolean> {
  /** A check that a signal interrupted says nothing about the API. */
  const sayUnlessStopped = async (line: string) => (stopped.aborted ? undefined : say(line));
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
    // Without the API no other check has a result.
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

/** @param jobs receives the job of each workflow, by the name of its check */
async function lanesOf(context: Smoke, jobs: Map<string, Status>): Promise<Lane[]> {
  const all = await workflowsOf(context);
  const workflows = all.filter(isMakeable);
  if (workflows.length === 0)
    throw lacking(
      'every workflow needs a sound, a film or another file of its callers',
      'npm run workflows -- add FILE',
    );
  const uploaded = upload(context);
  const inputs = workflows.map((workflow) => inputsFor(workflow, () => uploaded));
  const [first] = inputs as [Promise<Inputs>, ...Promise<Inputs>[]];
  const accepted = inputs.map(async (wish) => submit(context, await wish));
  const made = accepted.map(async (jobId) => completed(context, await jobId));
  // Each check that awaits one of these reports its rejection in a line of its own.
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
    ...all.filter((one) => !isMakeable(one)).map((one) => ({ checks: [leftOut(one)] })),
    { after: made[0]!, checks: downloadChecks(context, made[0]!) },
  ];
}

/** A workflow whose job takes what only its callers have. */
function leftOut(workflow: Workflow): Check {
  const found = ok('not made: it needs a file that only its callers have');
  return { name: nameOf(workflow), run: () => Promise.resolve(found) };
}

async function workflowsOf({ ask }: Smoke): Promise<Workflow[]> {
  const { body } = wanted(await ask('/api/workflows'), 200, 'GET /api/workflows');
  const names = body['workflows'] as string[];
  return Promise.all(
    names.map(async (name) => {
      const path = `/api/workflows/${encodeURIComponent(name)}`;
      return wanted(await ask(path), 200, `GET ${path}`).body as Workflow;
    }),
  );
}

await runProgram(
  program,
  async (line, stopped) => {
    try {
      return (await smoke(checkedOptions(line), stopped)) ? 0 : 1;
    } catch (error) {
      if (stopped.aborted || !(error instanceof Found)) throw error;
      await say(lineOf('deployment', error.finding));
      return 1;
    }
  },
  { stops: true },
);
