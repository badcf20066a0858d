// The protocol with one of its conditions left out, each as exact edits to the sources, and the faults under which
// that is noticed soonest. What nothing notices is either a check that does not bite or a condition that two others
// cover: `covered` says which.

import type { Edit } from './build.ts';
import type { Focus } from './plan.ts';

export interface Mutation {
  name: string;
  edits: readonly Edit[];
  focus: Focus;
  /** Bounded: so many seeds may pass before it must be caught. */
  seeds?: number;
  jobs?: number;
  /** Why no run can tell it from the product: another condition covers it. */
  covered?: string;
}

const job = (find: string, replace: string): Edit => ({ file: 'functions/core/job.ts', find, replace });
const host = (file: string, find: string, replace: string): Edit => ({
  file: `functions/host/${file}.ts`,
  find,
  replace,
});

const FENCE = `[is('attempt', fence.attempt), is('host', fence.host)];`;
const SWEEP = `when: [is('attempt', job.attempt), is('host', job.host ?? ''), is('status', job.status)],`;
const HOSTS = ['host0', 'host1', 'host2'];

const deaths: Focus = { kinds: ['kill', 'kill-machine', 'stop'], faults: 14, targets: { kill: HOSTS } };
const quickDeaths = { kill: [20, 300] } as const;
const lateHosts: Focus = {
  kinds: ['kill', 'table-late', 'table-late', 'forget', 'terminate'],
  targets: { kill: HOSTS, 'table-late': HOSTS, terminate: HOSTS },
  lasts: { ...quickDeaths, 'table-late': [2000, 4000] },
  faults: 24,
};
/** One host takes every job again that it lost, while its own late writes are still on their way. */
const lateAlone: Focus = {
  kinds: ['kill', 'forget', 'forget', 'table-repeats'],
  targets: { kill: ['host1', 'host2'], forget: ['comfyui0'], 'table-repeats': ['host0'] },
  lasts: { kill: [9000, 12_000], 'table-repeats': [3000, 6000] },
  faults: 26,
  faultsUntil: 12_000,
};
/** Only its heart is not heard: it goes on with what is taken from it. */
const heartless: Focus = {
  kinds: ['table-hosts-deaf', 'table-late'],
  targets: { 'table-hosts-deaf': HOSTS, 'table-late': ['controller'] },
  lasts: { 'table-hosts-deaf': [5000, 8000], 'table-late': [8000, 12_000] },
  faults: 20,
  faultsUntil: 10_000,
};
/** Else a host takes nothing when its heart is not heard, and hardly a job starts while it is taken away. */
const CLAIMS_ON = host('parts', ' && !heartbeat.looksDead()', '');
const lateController: Focus = {
  kinds: ['stop', 'kill', 'table-late', 'table-late'],
  targets: { kill: HOSTS, 'table-late': ['controller'] },
  lasts: { stop: [2700, 4200], kill: [20, 2500], 'table-late': [4000, 6000] },
  faults: 16,
};

const HISTORY_FIRST = [
  host(
    'prompts/poller',
    `      const { running, pending } = await queue(prompts);
      seen(`,
    `      const early = new Map(
        await Promise.all(
          prompts.map(async (prompt) => [prompt, await comfyui.history(prompt.promptId)] as const),
        ),
      );
      const { running, pending } = await queue(prompts);
      seen(`,
  ),
  host(
    'prompts/poller',
    `        if (!(await foundInHistory(prompt))) {`,
    `        if (early.get(prompt)) {
          finish(prompt, { kind: 'ended', entry: early.get(prompt)! });
        } else {`,
  ),
];
const ONE_POLL = host('prompts/poller', `if (prompt.absences >= 2)`, `if (prompt.absences >= 1)`);
const WITHOUT_SOCKET: Focus = {
  kinds: ['socket-silent', 'socket-cut'],
  faults: 12,
  lasts: { 'socket-silent': [3000, 6000] },
};

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'the fence without host',
    edits: [job(FENCE, `[is('attempt', fence.attempt)];`)],
    focus: lateHosts,
    seeds: 8,
  },
  {
    name: 'the fence without attempt',
    edits: [job(FENCE, `[is('host', fence.host)];`)],
    focus: lateAlone,
    seeds: 8,
    jobs: 30,
  },
  {
    name: 'host not removed on exit',
    edits: [job(`remove: ['host', 'progressAt', 'node'],\n  };`, `remove: ['progressAt', 'node'],\n  };`)],
    focus: deaths,
  },
  {
    name: 'the claim without "no host"',
    edits: [
      job(
        `when: [is('status', 'queued'), absent('host'), is('attempt', job.attempt)],`,
        `when: [is('status', 'queued'), is('attempt', job.attempt)],`,
      ),
    ],
    focus: lateHosts,
    seeds: 3,
    covered: 'a host comes with a new attempt, so the attempt as read refuses as well',
  },
  {
    name: 'the controller without the status as read',
    edits: [job(SWEEP, `when: [is('attempt', job.attempt), is('host', job.host ?? '')],`), CLAIMS_ON],
    focus: heartless,
    seeds: 12,
    jobs: 150,
  },
  {
    name: 'the controller without the host as read',
    edits: [job(SWEEP, `when: [is('attempt', job.attempt), is('status', job.status)],`)],
    focus: lateController,
    seeds: 8,
  },
  {
    name: 'the controller without the attempt as read',
    edits: [job(SWEEP, `when: [is('host', job.host ?? ''), is('status', job.status)],`), CLAIMS_ON],
    // The same host must hold the job again, further on, when the late word comes.
    focus: heartless,
    seeds: 12,
    jobs: 150,
  },
  {
    name: 'the controller reads hosts before jobs',
    edits: [
      {
        file: 'functions/controller/sweep.ts',
        find: `  const held = (await jobs.listWork('held', HELD_LIMIT)).map(({ jobId }) => jobId);`,
        replace: `  const listed = await hosts.list();
  const held = (await jobs.listWork('held', HELD_LIMIT)).map(({ jobId }) => jobId);`,
      },
      {
        file: 'functions/controller/sweep.ts',
        find: `  const states = await jobs.readStates(held, { consistent: true });
  const listed = await hosts.list();`,
        replace: `  const states = await jobs.readStates(held, { consistent: true });`,
      },
    ],
    focus: {
      kinds: ['kill', 'kill', 'table-late'],
      targets: { kill: HOSTS, 'table-late': ['controller'] },
      lasts: { kill: [20, 200], 'table-late': [5000, 8000] },
      faults: 24,
    },
    seeds: 20,
  },
  {
    name: 'a second held job for one job',
    edits: [host('claims/claim-loop', `    if (slots.has(jobId)) return 'has-it';\n`, '')],
    focus: {
      kinds: ['offers-doubled', 'table-late', 'index-stale'],
      targets: { 'table-late': HOSTS },
      faults: 16,
    },
  },
  {
    name: 'a slot not taken until the claim is answered',
    edits: [
      host('claims/held-job', `return heldJob.phase !== 'uploading';`, `return heldJob.phase === 'working';`),
    ],
    focus: { kinds: ['table-late', 'offers-doubled'], targets: { 'table-late': HOSTS }, faults: 10 },
  },
  {
    name: 'an unanswered claim dropped',
    edits: [
      host(
        'claims/claim',
        `    const settled: JobState | undefined = await untilAnswered(writer, jobId, 'claim', async () => {
      if (await writer.jobs.write(jobId, change)) return { ...state, ...change.set };
      return writer.jobs.readState(jobId);
    });`,
        `    const settled: JobState | undefined = (await writer.jobs.write(jobId, change).catch(() => false))
      ? { ...state, ...change.set }
      : undefined;
    void untilAnswered;`,
      ),
    ],
    focus: {
      kinds: ['table-answer-lost', 'table-late'],
      targets: { 'table-answer-lost': HOSTS, 'table-late': HOSTS },
      faults: 16,
    },
  },
  {
    name: 'a deadline that interrupts and writes nothing',
    edits: [
      host(
        'attempt/attempt',
        `  if (typeof reason === 'object' && 'overdue' in reason) await giveBack(attempt, reason.overdue);\n`,
        '',
      ),
    ],
    focus: {
      kinds: ['executor-hangs', 'kill'],
      targets: { kill: ['controller'] },
      lasts: { 'executor-hangs': [4500, 7000], kill: [6000, 9000] },
      faults: 8,
    },
    seeds: 5,
  },
  {
    name: "a lost POST /prompt's answer repeated",
    edits: [
      host(
        'attempt/attempt',
        `    deps.log.warn('prompt.unanswered', { jobId, promptId, error: error.message });
    return undefined;`,
        `    deps.log.warn('prompt.unanswered', { jobId, promptId, error: error.message });
    return post(attempt);`,
      ),
    ],
    focus: { kinds: ['prompt-answer-lost'], faults: 8 },
  },
  {
    name: 'an interrupted prompt taken for a failed node',
    edits: [
      {
        file: 'functions/core/outcome.ts',
        find: `  if (!error) return { kind: 'lost', reason: 'it was interrupted on the GPU host' };`,
        replace: `  if (!error)
    return { kind: 'failed', failure: { code: 'node_failed', message: 'it was interrupted on the GPU host' } };`,
      },
    ],
    focus: { kinds: ['interrupt'], faults: 20 },
  },
  {
    name: 'adopting before the own item is written',
    edits: [
      host(
        'host',
        `  await heartbeat.beat();
  await findOrphans(parts, log);
  await takeOver.run();
`,
        `  await takeOver.run();
  await heartbeat.beat();
  await findOrphans(parts, log);
`,
      ),
    ],
    focus: { kinds: ['kill'], targets: { kill: HOSTS }, lasts: quickDeaths, faults: 20 },
    seeds: 5,
  },
  {
    name: 'no lock on the machine',
    edits: [
      host('main', `  if (!lock)\n    throw`, `  if (!lock && process.env['LOCK'])\n    throw`),
      host('main', `    await lock.release();\n`, ''),
    ],
    focus: { kinds: ['second-host'], faults: 6 },
  },
  {
    name: 'claiming before the scan is done',
    edits: [host('parts', `takeOver.isDone && !drain.isDraining`, `!drain.isDraining`)],
    focus: {
      kinds: ['kill', 'kill', 'table-late'],
      targets: { kill: HOSTS, 'table-late': HOSTS },
      lasts: quickDeaths,
      faults: 20,
    },
    seeds: 3,
    covered: 'the scan may be made again, so what this run holds is adopted like what a former one held',
  },
  {
    name: '/history read before /queue',
    edits: HISTORY_FIRST,
    focus: WITHOUT_SOCKET,
    seeds: 3,
    covered: 'lost only after two looks: what one look missed, the next finds in the history',
  },
  {
    name: 'lost after one look instead of two',
    edits: [ONE_POLL],
    focus: WITHOUT_SOCKET,
    seeds: 3,
    covered: '/queue is read before /history: what ended in between is in the history at the first look',
  },
  {
    name: '/history before /queue, and lost after one look',
    edits: [ONE_POLL, ...HISTORY_FIRST],
    focus: WITHOUT_SOCKET,
    seeds: 6,
  },
  {
    name: 'completed before the upload',
    edits: [
      host(
        'attempt/attempt',
        `    const published = await collectOutputs(deps, heldJob, claimed.fence.attempt, graph, outputs);
    if (!published) return breakOff(attempt, await heldJob.stopped);`,
        `    const published = outputs.map((output, index) => ({
      filename: \`Early_\${heldJob.jobId.replaceAll('-', '')}_0000\${index + 1}_.png\`,
      node: output.node,
      width: 64,
      height: 64,
      sizeBytes: 1,
      contentType: 'image/png',
    }));
    void collectOutputs(deps, heldJob, claimed.fence.attempt, graph, outputs);`,
      ),
    ],
    focus: { kinds: ['bucket-late'] },
  },
  {
    name: 'image keys without the attempt',
    edits: [
      {
        file: 'functions/core/names.ts',
        find: '`images/${hexOf(jobId)}/${attempt}/${filename}`',
        replace: '`images/${hexOf(jobId)}/${attempt * 0}/${filename}`',
      },
    ],
    focus: deaths,
  },
  {
    name: 'the socket trusted',
    edits: [
      host(
        'prompts/poller',
        `        default:
          // The history shows the end.
          return;`,
        `        default:
          readHistory(prompt).then(
            (found) => found || finish(prompt, { kind: 'vanished' }),
            () => undefined,
          );
          return;`,
      ),
    ],
    focus: { kinds: ['socket-replays'], faults: 10 },
  },
  {
    name: 'the local clock trusted',
    edits: [
      {
        file: 'functions/runtime/connect.ts',
        find: 'now: () => store.clock.now(),',
        replace: 'now: () => Date.now(),',
      },
    ],
    focus: {
      kinds: ['stop', 'kill-machine'],
      clock: true,
      faults: 6,
      lasts: { 'kill-machine': [6000, 8000] },
    },
    seeds: 5,
  },
  {
    name: 'the first item written before the clock is known',
    edits: [
      host(
        'machine/heartbeat',
        `      await report();\n      // The heartbeat does not wait`,
        `      // The heartbeat does not wait`,
      ),
      host(
        'machine/heartbeat',
        `      const own = await hosts.read(`,
        `      await report();\n      const own = await hosts.read(`,
      ),
    ],
    focus: { kinds: ['kill'], clock: true, faults: 2 },
  },
  {
    name: 'judging at once after a sleep',
    edits: [
      {
        file: 'functions/controller/watch.ts',
        find: 'return asOf - since >= judgesAfter;',
        replace: 'return true;',
      },
    ],
    focus: { kinds: ['suspend'] },
  },
  {
    name: "no look of the host's own",
    edits: [
      host(
        'claims/claim-loop',
        `    if (deps.freeSlots() === 0) return;\n    const isFresh`,
        `    if (deps.freeSlots() >= 0) return;\n    const isFresh`,
      ),
    ],
    focus: { kinds: ['offers-lost', 'kill'], targets: { kill: ['forwarder0', 'forwarder1'] }, faults: 12 },
    seeds: 4,
  },
];
