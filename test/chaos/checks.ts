// What must be true when it is over: of every job, by what callers saw, what the ledger tells and what lies in the
// tables and the bucket.

import { PNG } from 'pngjs';
import { fieldsOf } from '../../functions/store/job-item.ts';
import { jobIdFrom } from '../../functions/core/names.ts';
import type { Images } from '../../functions/images/images.ts';
import { LOCAL } from '../../functions/core/access.ts';
import { brief, imageKey, type Ledger, type Version } from './ledger.ts';
import type { Observation, Submitted } from './load.ts';
import { canonical } from './table-proxy.ts';

const TERMINAL = ['completed', 'failed', 'cancelled'];

export async function checkJobs(
  ledger: Ledger,
  submitted: readonly Submitted[],
  images: Images,
): Promise<void> {
  for (const one of submitted) {
    const { jobId, ask } = one;
    for (const problem of one.problems) ledger.violate('callers', problem, jobId ?? ask.key);
    if (jobId === undefined) {
      ledger.violate('accepted', `no answer to ${ask.key}`);
      continue;
    }
    if (jobId !== jobIdFrom({ owner: LOCAL.owner, key: ask.key }))
      ledger.violate('one job a key', `${ask.key} is ${jobId}`, jobId);
    const versions = ledger.jobs.get(jobId) ?? [];
    const state = versions.at(-1)?.state;
    if (!state) {
      ledger.violate('no job lost', 'accepted, and not in the table', jobId);
      continue;
    }
    if (!TERMINAL.includes(state.status)) ledger.violate('every job ends', brief(state), jobId);
    const completions = versions.filter(({ verb }) => verb === 'complete').length;
    if (completions !== (state.status === 'completed' ? 1 : 0))
      ledger.violate('one completion', `${completions} completions`, jobId);
    if (one.cancelled && state.status !== 'cancelled')
      ledger.violate('cancelled is cancelled', brief(state), jobId);
    if (state.status === 'failed') checkCause(ledger, one, versions);
    if (state.status === 'completed') {
      if (ask.nature !== 'good') ledger.violate('true endings', `a job that ${ask.nature} completed`, jobId);
      await checkImages(ledger, one, versions, images);
    }
    for (const observation of one.observations) checkObservation(ledger, jobId, versions, observation);
  }
}

const CAUSES = [
  'its GPU host was restarted or is gone',
  'its GPU host died',
  'it made no progress within its deadline',
  'ComfyUI restarted or forgot it',
  'it was interrupted on the GPU host',
  'its outputs are gone from the GPU host',
  'the GPU host was stopped',
  'the GPU host released it before it started',
];

/** The error says what happened, and it did. */
function checkCause(
  ledger: Ledger,
  { ask, jobId, cancelled }: Submitted,
  versions: readonly Version[],
): void {
  const { state, by } = versions.at(-1)!;
  const wrong = (detail: string) => ledger.violate('true causes', `${detail}: ${state.error}`, jobId);
  if (cancelled) return;
  switch (state.errorCode) {
    case 'node_failed':
      if (ask.nature !== 'fails') wrong('nothing was wrong with its nodes');
      else if (!state.error?.includes('too large')) wrong('not what the node said');
      return;
    case 'lost_too_often': {
      const last = CAUSES.find((cause) => state.error?.endsWith(cause));
      if (state.lostAttempts !== 3 || !state.error?.includes('lost 3 times'))
        wrong(`with ${state.lostAttempts} lost attempts`);
      if (!last) wrong('no cause that is known');
      const ofController = last?.startsWith('its GPU host') ?? false;
      if (last !== CAUSES[2] && ofController !== by.startsWith('controller')) wrong(`said by ${by}`);
      return;
    }
    case 'too_many_attempts':
      if (state.attempt < 20) wrong(`with ${state.attempt} attempts`);
      return;
    default:
      wrong(`nobody asked for ${state.errorCode}`);
  }
}

async function checkImages(
  ledger: Ledger,
  { ask, jobId }: Submitted,
  versions: readonly Version[],
  images: Images,
): Promise<void> {
  const { state } = versions.at(-1)!;
  const wrong = (detail: string) => ledger.violate('images', detail, jobId);
  const published = state.outputs ?? [];
  if (published.length !== ask.images) wrong(`${published.length} images, not ${ask.images}`);
  for (const { filename, width, height, sizeBytes } of published) {
    const key = imageKey(state, filename);
    const stored = await images.get(key);
    if (!stored || stored === 'not-modified') {
      wrong(`${key} is not there`);
      continue;
    }
    const bytes = Buffer.from(await new Response(stored.body).arrayBuffer());
    if (bytes.length !== sizeBytes) wrong(`${key} has ${bytes.length} bytes, not ${sizeBytes}`);
    try {
      const decoded = PNG.sync.read(bytes);
      const sizes = [decoded.width, decoded.height, width, height].join();
      if (sizes !== [ask.width, ask.height, ask.width, ask.height].join()) wrong(`${key} measures ${sizes}`);
    } catch (error) {
      wrong(`${key} cannot be decoded: ${String(error)}`);
    }
    // Its graph lies in the image, and the graph's prefix names job and attempt.
    if (!bytes.includes(`${state.jobId.replaceAll('-', '')}_${state.attempt}"`))
      wrong(`${key} was not made by attempt ${state.attempt}`);
  }
}

/** What was answered was true at some moment between the question and the answer. */
function checkObservation(
  ledger: Ledger,
  jobId: string,
  versions: readonly Version[],
  seen: Observation,
): void {
  const matches = versions.some(({ state, sentAt }, index) => {
    const until = versions[index + 1]?.at ?? Infinity;
    return (
      sentAt <= seen.receivedAt &&
      until >= seen.sentAt &&
      state.status === seen.status &&
      state.attempt === seen.attempts &&
      state.progress === seen.progress &&
      (state.error ?? null) === seen.error
    );
  });
  if (!matches)
    ledger.violate('what callers saw', `${seen.status}, attempt ${seen.attempts}, ${seen.progress}`, jobId);
}

/** The ledger is as good as what the table really has. */
export function checkTable(ledger: Ledger, items: readonly Record<string, unknown>[]): void {
  for (const item of items) {
    if (item['part'] !== 'state') continue;
    const { v: _, expiresAt: __, part: ___, ...state } = fieldsOf(item);
    const jobId = String(state['jobId']);
    if (canonical(state) !== canonical(ledger.now(jobId) ?? {}))
      ledger.violate('the ledger', `the table has ${canonical(state)}`, jobId);
  }
}
