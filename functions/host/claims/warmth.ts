// Which of the waiting jobs a host tries next, by what its ComfyUI has loaded, and how often it has passed each over for that.
// Kept in memory: a host that starts again has nothing loaded, and takes the jobs in their order. The rule: core/affinity.ts.

import { type Choice, choose } from '../../core/affinity.ts';
import { modelsTagIn, readWorkOrder } from '../../core/names.ts';
import type { Timings } from '../../core/timings.ts';
import type { QueueEntry } from '../../store/work.ts';

/** A host as others of its process see it. */
export interface Sibling {
  /** Tag of the models that its ComfyUI has loaded. */
  loaded(): string | undefined;
  freeSlots(): number;
}

export interface WarmthDeps {
  timings: Pick<Timings, 'hostPollsEvery'>;
  now(): number;
  loaded(): string | undefined;
  /** The other hosts of this process. */
  siblings(): Sibling[];
  /** How many other hosts poll the same queue. */
  neighbours(): number;
}

/** A waiting job, the tag of its models, and where it was read. */
export interface Waiting extends QueueEntry {
  models: string | undefined;
  shard: number;
}

export interface Warmth {
  /** A page of a shard, from its head: jobs that are not in it any more are forgotten. */
  read(shard: number, entries: readonly QueueEntry[]): Waiting[];
  choose(waiting: readonly Waiting[]): Choice<Waiting> | undefined;
  /** The chosen job is being claimed: what is chosen next should need the same models. */
  claiming(job: Waiting): void;
  /** @param over jobs that were passed over for it; none if it was not claimed */
  settled(jobId: string, over: readonly Waiting[]): void;
}

export function createWarmth({ timings, now, ...deps }: WarmthDeps): Warmth {
  const timesPassed = new Map<string, { shard: number; times: number }>();
  /** Job id → tag, of claims that are not answered yet. */
  const claims = new Map<string, string>();

  const loaded = () => [...claims.values()].at(-1) ?? deps.loaded();

  function isWarmElsewhere(models: string): boolean {
    const siblings = deps.siblings();
    // Those of other machines are not known one by one: the forwarder, which knows them, offers the job to the best.
    if (deps.neighbours() > siblings.length) return true;
    // One that has nothing loaded would displace nothing.
    return siblings.some(
      (sibling) => [models, undefined].includes(sibling.loaded()) && sibling.freeSlots() > 0,
    );
  }

  return {
    read(shard, entries) {
      const listed = new Set(entries.map(({ jobId }) => jobId));
      for (const [jobId, passed] of timesPassed)
        if (passed.shard === shard && !listed.has(jobId)) timesPassed.delete(jobId);
      return entries.map((entry) => ({ ...entry, models: modelsTagIn(entry.workOrder), shard }));
    },
    choose: (waiting) =>
      choose(waiting, {
        loaded: loaded(),
        timesPassed: (jobId) => timesPassed.get(jobId)?.times ?? 0,
        isLeft: ({ workOrder, models }) => {
          const age = Math.abs(now() - readWorkOrder(workOrder).acceptedAt);
          return models !== undefined && age < timings.hostPollsEvery && isWarmElsewhere(models);
        },
      }),
    claiming({ jobId, models }) {
      if (models !== undefined) claims.set(jobId, models);
    },
    settled(jobId, over) {
      claims.delete(jobId);
      for (const passed of over)
        timesPassed.set(passed.jobId, {
          shard: passed.shard,
          times: (timesPassed.get(passed.jobId)?.times ?? 0) + 1,
        });
    },
  };
}
