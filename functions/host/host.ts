// The GPU host: claims jobs for one ComfyUI, as many as it has slots, and sees each to its end. Composes the parts
// of this folder; owns the records and the three clocks (look, keep, heartbeat).

import { randomBytes, randomUUID } from 'node:crypto';
import type { ComfyUI } from '../comfyui/client.ts';
import { connectEvents } from '../comfyui/events.ts';
import { fail, isHeldBy, type JobState } from '../core/job.ts';
import { HEARTBEAT_EVERY, HOST_LOOKS_EVERY, JOB_DEADLINE, JOB_LIMIT } from '../core/limits.ts';
import { readMark } from '../core/mark.ts';
import { type Graph, lacks, modelsOf } from '../core/object-info.ts';
import { readGraph } from '../images/documents.ts';
import type { Images } from '../images/images.ts';
import type { Log } from '../log.ts';
import { type Host, type Hosts, isAlive } from '../store/hosts.ts';
import type { Job, Jobs } from '../store/jobs.ts';
import { type AttemptDeps, giveBackJob, runAttempt } from './attempt.ts';
import { claimJob, type Claimed, waits } from './claim.ts';
import { watchComfyUI } from './comfyui-watch.ts';
import { createPoller } from './poller.ts';
import { createRecord, type JobRecord, takesSlot } from './record.ts';
import { hostIdOf, recover } from './recover.ts';
import { settle } from './settle.ts';
import { every, sleepUpTo, type Ticker } from './ticker.ts';

export interface HostDeps {
  jobs: Jobs;
  hosts: Hosts;
  images: Images;
  comfyui: ComfyUI;
  log: Log;
  /** The tables' clock, ms. */
  now(): number;
  machineId: string;
  /** Where the forwarder reaches the intake. */
  url: string;
  slots: number;
  /** Everything from this ComfyUI is marked as such. */
  simulated: boolean;
}

export type Offered = 'will-try' | 'has-it' | 'no-slot';

export interface RunningHost {
  hostId: string;
  intakeSecret: string;
  /** Answers at once; the trying goes on by itself. */
  offer(jobId: string): Offered;
  /** Resolves when nothing is held any more and the item is gone. */
  drain(): Promise<void>;
}

/** So many jobs that cannot run here are looked past; more of them would make each look dear. */
const LEFT_ALONE_LIMIT = 90;

/** Waits until ComfyUI answers, takes over from former runs, then claims. Resolves once the own item is written. */
export async function startHost(deps: HostDeps): Promise<RunningHost> {
  const { jobs, hosts, images, comfyui, log, now, machineId, simulated } = deps;
  const hostId = hostIdOf(machineId, randomUUID());
  const intakeSecret = randomBytes(32).toString('hex');
  const startedAt = now();
  const records = new Map<string, JobRecord>();
  const tickers: Ticker[] = [];
  let ready = false;
  let draining = false;
  let neighbours = 0;
  let models: string[] = [];
  /** Waiting jobs whose models or nodes this ComfyUI lacks, until its inventory is taken again. */
  const leftAlone = new Set<string>();
  /** Prompts of ours in ComfyUI that no record explains: they keep its executor busy. */
  let strays = 0;
  let looking: Promise<void> | undefined;
  let lookAgain = false;
  let idle: () => void = () => undefined;

  const watch = watchComfyUI(comfyui, images, log, now);
  const poller = createPoller(comfyui, log, (items) => {
    const unexplained = items.flatMap(({ item, followed }) => {
      const mark = readMark(item.extraData);
      return !followed && mark?.machine === machineId && !records.has(mark.jobId) ? [item.promptId] : [];
    });
    strays = unexplained.length;
    if (ready && strays > 0) void removeStrays(unexplained);
  });
  const attemptDeps: AttemptDeps = {
    jobs,
    images,
    comfyui,
    poller,
    log,
    machineId,
    clientId: hostId,
    now,
    pause: (attempt) => sleepUpTo(Math.min(250 * 2 ** attempt, 5000)),
    slotFreed: () => void look(),
  };

  async function removeStrays(promptIds: string[]): Promise<void> {
    log.warn('removing prompts that nobody remembers', { count: promptIds.length });
    try {
      await comfyui.deleteQueued(promptIds);
      for (const promptId of promptIds) await comfyui.interrupt(promptId);
    } catch (error) {
      log.debug('strays not removed yet', { error: String(error) });
    }
  }

  function freeSlots(): number {
    if (!ready || draining || !watch.answers) return 0;
    const taken = [...records.values()].filter(takesSlot).length;
    // A bucket that does not answer must not let uploads pile up without end.
    const uploads = records.size - taken;
    return uploads >= deps.slots * 8 ? 0 : Math.max(0, deps.slots - taken - strays);
  }

  async function take(record: JobRecord): Promise<void> {
    const { jobId } = record;
    // A look at once after a job that was somebody else's would find it again, while the index lags.
    let lookOn = false;
    try {
      const job = await jobs.read(jobId);
      if (!job || !waits(job.state)) return;
      const graph = await readGraph(images, job.request);
      lookOn = true;
      if (graph && !fits(job, graph)) return;
      const claimed = await claimJob(attemptDeps, job, hostId, simulated, now);
      lookOn = claimed !== undefined;
      if (!claimed) return;
      if (!graph) {
        const failure = { code: 'input_gone' as const, message: 'The graph of the job is gone' };
        await settle(attemptDeps, jobId, fail(claimed.fence, failure, now()), claimed.fence);
        return;
      }
      log.info('job claimed', { job_id: jobId, attempt: claimed.fence.attempt });
      await work(record, claimed, graph, false);
    } catch (error) {
      log.error('job not taken', error, { job_id: jobId });
    } finally {
      forget(record);
      if (lookOn) void look();
    }
  }

  function fits(job: Job, graph: Graph): boolean {
    const [lack] = lacks(graph, watch.inventory?.nodes ?? {});
    if (!lack) return true;
    log.debug('job left alone', { job_id: job.state.jobId, lacks: lack.value ?? lack.classType });
    if (leftAlone.size >= LEFT_ALONE_LIMIT) leftAlone.clear();
    leftAlone.add(job.state.jobId);
    return false;
  }

  async function work(record: JobRecord, claimed: Claimed, graph: Graph, posted: boolean): Promise<void> {
    try {
      models = modelsOf(graph);
      await runAttempt(attemptDeps, record, claimed, graph, posted);
    } catch (error) {
      log.error('attempt broke', error, { job_id: record.jobId });
      await giveBackJob(attemptDeps, record, claimed, 'the GPU host made a mistake');
    }
  }

  function forget(record: JobRecord): void {
    records.delete(record.jobId);
    if (records.size === 0) idle();
  }

  function offer(jobId: string): Offered {
    if (records.has(jobId)) return 'has-it';
    if (freeSlots() === 0) return 'no-slot';
    const record = createRecord(jobId, now());
    records.set(jobId, record);
    void take(record);
    return 'will-try';
  }

  /** The host's own look at the head of the queue: an offer may have been lost. One at a time. */
  function look(): Promise<void> {
    lookAgain = looking !== undefined;
    looking ??= (async () => {
      try {
        if (freeSlots() === 0) return;
        const waiting = (await jobs.listWork('waiting', 10 + leftAlone.size))
          .map(({ jobId }) => jobId)
          .filter((jobId) => !records.has(jobId) && !leftAlone.has(jobId));
        // Alone, in the queue's order; among others in a random one, so that they do not all run for the same job.
        if (neighbours > 0) shuffle(waiting);
        for (const jobId of waiting) if (freeSlots() > 0) offer(jobId);
      } catch (error) {
        log.error('queue not read', error);
      } finally {
        looking = undefined;
        if (lookAgain) void look();
      }
    })();
    return looking;
  }

  /** Once a second while anything is held: what moved on is broken off, what hangs too. */
  async function keep(): Promise<void> {
    const held = [...records.values()].filter(({ claimed }) => claimed !== undefined);
    if (held.length === 0) return;
    const states = await jobs.readStates(
      held.map(({ jobId }) => jobId),
      { consistent: true },
    );
    const byId = new Map(states.map((state) => [state.jobId, state]));
    for (const record of held) {
      const state = byId.get(record.jobId);
      if (!state || !isHeldBy(state, record.claimed!.fence)) record.stop('gone');
      else if (isOverdue(record, state)) record.stop('overdue');
    }
  }

  function isOverdue(record: JobRecord, state: JobState): boolean {
    if (!record.started) return now() - (state.claimedAt ?? now()) > JOB_LIMIT;
    const silent = now() - record.aliveAt > (state.deadline ?? JOB_DEADLINE);
    return silent || now() - (state.startedAt ?? now()) > JOB_LIMIT;
  }

  async function pollComfyUI(): Promise<void> {
    try {
      await poller.poll();
    } catch (error) {
      log.debug('comfyui not polled', { error: String(error) });
    }
  }

  function item(): Host {
    return {
      hostId,
      machineId,
      url: deps.url,
      state: draining ? 'draining' : 'ready',
      slots: deps.slots,
      held: records.size,
      models,
      intakeSecret,
      seenAt: now(),
      startedAt,
      simulated,
      comfyui: watch.answers,
      ...(watch.stats?.system.comfyui_version ? { comfyuiVersion: watch.stats.system.comfyui_version } : {}),
      ...(watch.inventoryHash ? { inventoryHash: watch.inventoryHash } : {}),
      devices: (watch.stats?.devices ?? []).map((device) => ({
        name: device.name,
        vram: Math.round(device.vram_total / 2 ** 20),
        vramFree: Math.round(device.vram_free / 2 ** 20),
      })),
    };
  }

  async function heartbeat(): Promise<void> {
    const before = watch.inventory;
    await watch.look();
    if (watch.inventory !== before) leftAlone.clear();
    await hosts.put(item());
    const others = (await hosts.list()).filter((host) => host.hostId !== hostId && isAlive(host, now()));
    neighbours = others.length;
    // With nothing to follow this is how strays are found.
    if (records.size === 0 && watch.answers) await pollComfyUI();
  }

  /** Comes as soon as ComfyUI does. */
  async function takeOver(): Promise<void> {
    if (ready || !watch.answers) return;
    const adopted = await recover({ ...attemptDeps, hosts, hostId });
    for (const claimed of adopted) {
      const record = createRecord(claimed.state.jobId, now());
      record.claimed = claimed;
      records.set(record.jobId, record);
      void (async () => {
        const graph = await readGraph(images, claimed.request);
        if (graph) await work(record, claimed, graph, true);
        else await giveBackJob(attemptDeps, record, claimed, 'its graph is gone');
      })()
        .catch((error: unknown) => log.error('adopted job lost', error, { job_id: record.jobId }))
        .finally(() => {
          forget(record);
          void look();
        });
    }
    ready = true;
  }

  await heartbeat();
  await takeOver();
  const socket = connectEvents(comfyui.url, hostId, (event) => poller.observe(event));
  tickers.push(
    every(HEARTBEAT_EVERY, heartbeat, log),
    every(
      HOST_LOOKS_EVERY,
      async () => {
        // A silent ComfyUI is looked for more often than hearts beat.
        if (!watch.answers) await watch.look();
        await takeOver();
        await look();
      },
      log,
    ),
    every(HOST_LOOKS_EVERY, keep, log),
    every(HOST_LOOKS_EVERY, () => (records.size > 0 ? pollComfyUI() : Promise.resolve()), log),
  );
  void look();

  return {
    hostId,
    intakeSecret,
    offer,
    async drain() {
      draining = true;
      await hosts.put(item()).catch((error: unknown) => log.error('draining not written', error));
      const emptied = new Promise<void>((resolve) => {
        idle = resolve;
      });
      for (const record of records.values()) record.drain();
      if (records.size > 0) await emptied;
      await Promise.all(tickers.map((ticker) => ticker.stop()));
      socket.close();
      await hosts.remove(hostId);
    },
  };
}

function shuffle<T>(items: T[]): void {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [items[last], items[other]] = [items[other]!, items[last]!];
  }
}
