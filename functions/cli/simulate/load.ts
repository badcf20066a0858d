// Units per second that a fleet reads and writes, in total and at its hottest key. The product's own functions run once, or
// for a minute of ticks, against an embedded DynamoDB with such a fleet; each request is charged by DynamoDB's rules, and
// its charge multiplied by its frequency. Nothing is estimated by hand.

import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { AddressInfo } from 'node:net';
import { createVirtualTime } from '../../api/admission/virtual-time.ts';
import { createQueue } from '../../api/caches/queue-view.ts';
import { controlRound } from '../../controller/round.ts';
import { scaleFleet } from '../../controller/scale-fleet.ts';
import { createSpreading } from '../../controller/queue-spread.ts';
import { createWatch } from '../../controller/watch.ts';
import { type Host, hostsFreshFor } from '../../core/host.ts';
import { advance, claim, complete, type JobState, start } from '../../core/job.ts';
import { HOSTS_PER_SHARD, SCALE_EVERY } from '../../core/limits.ts';
import { ownerOrder, workOrder } from '../../core/names.ts';
import { TIMINGS } from '../../core/timings.ts';
import { NEVER_WARM } from '../../core/warm-schedule.ts';
import { forward } from '../../forwarder/forward.ts';
import { createSlots } from '../../host/claims/slots.ts';
import { createClaimLoop } from '../../host/claims/claim-loop.ts';
import { createHeartbeat } from '../../host/machine/heartbeat.ts';
import { runWatchdog } from '../../host/claims/watchdog.ts';
import { createDynalite } from '../../../test/support/dynalite/mended-dynalite.ts';
import { createLog } from '../../log.ts';
import type { Machines } from '../../machines/machines.ts';
import { createMetrics } from '../../metrics.ts';
import { createStoreClient, engineOf } from '../../store/dynamodb/client.ts';
import type { Engine } from '../../store/engine.ts';
import { createTables } from '../../store/dynamodb/create-tables.ts';
import type { Jobs } from '../../store/jobs.ts';
import { type Charge, meter } from './meter.ts';
import { openTables } from '../../store/open.ts';
import { SCHEMA_VERSION } from '../../store/tables.ts';

export interface Load {
  hosts: number;
  /** Units per second. */
  reads: number;
  writes: number;
  /** The keys with the most read and the most write units. */
  hottestRead: Hot;
  hottestWrite: Hot;
  /** Units of one shard of the waiting jobs. */
  queue: { reads: number; writes: number };
  /** Units of one job from acceptance to end, without its polls. */
  job: { reads: number; writes: number };
}

export interface Hot {
  key: string;
  units: number;
}

const CREDENTIALS = { accessKeyId: 'simulated', secretAccessKey: 'simulated' };
const RELEASE = 'r'.repeat(16);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** Items of a batch, DynamoDB's limit. */
const TOGETHER = 25;
/** Steps of a job, as in the templates: each is one write of progress, at most one a second. */
const STEPS = 25;
/** Stream batches per second of one function. */
const BATCHES = 10;
/** Seconds between a client's polls, and seconds for which an answer occupies a Lambda environment. */
const POLLS_EVERY = 2;
const ANSWER_TAKES = 0.03;

/** @param secondsPerJob GPU time: each host runs one job and polls for another, and one job waits per host */
export async function measureLoad(hosts: number, secondsPerJob: number): Promise<Load> {
  const server = createDynalite();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connect = () => createStoreClient({ endpoint, region: 'local', credentials: CREDENTIALS });
  const plain = connect();
  try {
    await createTables(plain, '');
    return await measure(hosts, secondsPerJob, plain, connect);
  } finally {
    plain.raw.destroy();
    server.close();
    server.closeAllConnections();
  }
}

type Client = ReturnType<typeof createStoreClient>;

async function measure(
  count: number,
  secondsPerJob: number,
  plain: Client,
  connect: () => Client,
): Promise<Load> {
  const log = createLog('simulate', 'error');
  // The answer sets the client's clock.
  await openTables(engineOf(plain, '')).fleetStore.read();
  // A fixed time with the most digits that occur, so that each run charges the same.
  const stamp = Math.floor(plain.clock.now() / 10_000) * 10_000 + 1001;
  const now = () => stamp;
  // The spread that the controller reaches in steps; before the jobs, which lie by it.
  const shards = Math.ceil(count / HOSTS_PER_SHARD);
  await openTables(engineOf(plain, '')).spread.write(
    { hosts: count, read: shards, write: shards, changedAt: 0 },
    undefined,
  );
  await seed(plain, engineOf(plain, ''), count, now());

  /** The charges of a client of its own during `work`. */
  async function chargesOf(work: (tables: ReturnType<typeof openTables>) => Promise<unknown>) {
    const charges: Charge[] = [];
    const client = connect();
    meter('', client, plain.raw, charges);
    try {
      await work(openTables(engineOf(client, '')));
    } finally {
      client.raw.destroy();
    }
    return charges;
  }

  const hostFor = (n: number) =>
    chargesOf(async ({ hosts, jobs, spread, ledgers }) => {
      const hostId = `i-${n}.run`;
      let awake = 0;
      const life = createHeartbeat({
        hosts,
        spread,
        log,
        timings: TIMINGS,
        hostId,
        item: () => hostOf(`i-${n}`, now()),
        now,
      });
      const slots = createSlots(() => 2);
      const jobId = idOf('held', n);
      const state = (await openTables(engineOf(plain, '')).jobs.readState(jobId))!;
      const fence = { attempt: 1, host: hostId };
      slots.add(jobId).hold({ request: requestOf(jobId), state, fence });
      const claimLoop = createClaimLoop({
        // Another host takes the jobs that this one lists.
        jobs: seesNothing(jobs),
        log,
        timings: TIMINGS,
        slots,
        ledger: ledgers.of(hostId),
        hostId,
        images: undefined as never,
        pause: () => Promise.resolve(),
        simulated: () => false,
        now,
        awake: () => awake,
        inventory: () => undefined,
        freeSlots: () => 1,
        neighbours: life.neighbours,
        siblings: () => [],
        loaded: () => MODELS,
        work: () => Promise.resolve(),
      });
      for (; awake < MINUTE; awake += TIMINGS.hostPollsEvery) {
        if (awake % TIMINGS.heartbeatEvery === 0) await life.beat();
        await runWatchdog(jobs, slots, () => awake, TIMINGS);
        await claimLoop.poll();
      }
    });

  const jobFor = (n: number) =>
    chargesOf(async ({ jobs }) => {
      const jobId = idOf('mine', n);
      const fence = { attempt: 1, host: `i-${n}.run` };
      const expiresAt = Math.ceil(now() / 1000) + 3600;
      await jobs.putRequest(requestOf(jobId), expiresAt);
      const state = stateOf(jobId, 'waiting', n, now());
      await jobs.putState(state, expiresAt);
      await jobs.read(jobId);
      await jobs.write(jobId, claim(state, fence.host, now(), false));
      await jobs.write(jobId, start(state, fence, now()));
      const reported = Math.min(STEPS, Math.floor((secondsPerJob * 1000) / TIMINGS.progressEvery));
      for (let step = 1; step <= reported; step += 1) {
        const progress = { progress: step / (reported + 1), currentStep: step, totalSteps: STEPS };
        await jobs.write(jobId, advance(fence, progress, now()));
      }
      const image = {
        filename: `Flux2_${n}_00001_.png`,
        node: '9',
        width: 1024,
        height: 1024,
        sizeBytes: 1_500_000,
        contentType: 'image/png',
        sha256: 'ab'.repeat(32),
      };
      const steps = { currentStep: STEPS, totalSteps: STEPS };
      await jobs.write(
        jobId,
        complete(state, fence, [image], steps, now(), { gpuMs: 45_000, costMicroUsd: 28_000 }),
      );
    });

  const round = await chargesOf(async ({ fleetStore, ...tables }) => {
    const metrics = createMetrics('', undefined);
    const spreading = createSpreading({ ...tables, log, now });
    const deps = {
      ...tables,
      log,
      now,
      metrics,
      watch: createWatch(MINUTE),
      nudge: () => undefined,
      spreading,
      ledger: tables.ledgers.of('controller'),
    };
    await controlRound(deps);
    await scaleFleet({
      ...deps,
      fleet: fleetStore,
      machines: machinesOf(count),
      maxHosts: count,
      warmth: NEVER_WARM,
      spot: false,
      release: RELEASE,
    });
  });
  const [a, b] = [await hostFor(0), await hostFor(1)];
  const cachedReads = await chargesOf(async ({ hosts, fleetStore }) => {
    await hosts.listCached();
    await fleetStore.readCached();
  });
  const asked = await chargesOf(async ({ jobs }) => {
    let passed = 0;
    const clock = () => now() + passed;
    const queue = createQueue(jobs, clock);
    const level = createVirtualTime(jobs, clock);
    for (; passed < MINUTE; passed += SECOND) {
      await queue.count();
      await queue.position(stateOf(idOf('waiting', 0), 'waiting', 0, now()));
      await level();
    }
  });
  const polled = await chargesOf(({ jobs }) => jobs.readState(idOf('held', 0)));
  // The forwarder offers nothing here: an offer costs no unit, and nothing listens at these addresses.
  const batch = await chargesOf(({ jobs, hosts }) =>
    forward({
      jobs: seesNothing(jobs),
      hosts,
      log,
      now,
    }),
  );
  const [jobA, jobB] = [await jobFor(0), await jobFor(1)];

  const jobsPerSecond = count / secondsPerJob;
  const processes = Math.max(1, jobsPerSecond * (1 + secondsPerJob / POLLS_EVERY) * ANSWER_TAKES);
  const readsEachSecond = 1000 / Math.max(hostsFreshFor(count, TIMINGS), 1000);
  const batches = Math.min(BATCHES, Math.max(jobsPerSecond, 1 / 60));
  const isScan = ({ what }: Charge) => what.startsWith('Scan');
  const load = createSum(shards);
  load.add(a, b, count / (MINUTE / 1000));
  load.add(jobA, jobB, jobsPerSecond);
  load.add(round, round, 1000 / SCALE_EVERY);
  load.add(cachedReads, cachedReads, processes * readsEachSecond);
  load.add(asked, asked, processes / (MINUTE / SECOND));
  load.add(polled, [], (2 * count) / POLLS_EVERY);
  load.add(batch.filter(isScan), [], Math.min(batches, 1000 / Math.max(hostsFreshFor(count, TIMINGS), 1)));
  const others = batch.filter((charge) => !isScan(charge));
  load.add(others, others, batches);
  return { hosts: count, ...load.total(), job: unitsOf(jobA) };
}

function unitsOf(charges: readonly Charge[]): { reads: number; writes: number } {
  return charges.reduce(
    (sum, { reads, writes }) => ({ reads: sum.reads + reads, writes: sum.writes + writes }),
    {
      reads: 0,
      writes: 0,
    },
  );
}

/** The name of all shards of the queue together. */
const QUEUE = 'jobs.byWork waiting';
const SHARD = new RegExp(`^(${QUEUE.replace('.', '\\.')})(#\\d+)?$`);

/** @param shards of the queue, equally loaded: jobs spread over them evenly, and hosts poll them in turn */
function createSum(shards: number) {
  let reads = 0;
  let writes = 0;
  const heat = new Map<string, { reads: number; writes: number }>();
  const hottest = (of: 'reads' | 'writes'): Hot => {
    const [key, units] = [...heat].reduce(
      (most, [name, one]) => (one[of] > most[1] ? ([name, one[of]] as const) : most),
      ['', 0] as readonly [string, number],
    );
    return { key, units };
  };
  return {
    /** @param other the charges of a second one of the same kind: keys in both are shared by all */
    add(charges: readonly Charge[], other: readonly Charge[], perSecond: number): void {
      const shared = new Set(other.flatMap(({ touched }) => touched.map(({ key }) => key)));
      const sum = unitsOf(charges);
      reads += sum.reads * perSecond;
      writes += sum.writes * perSecond;
      for (const { key: touched, ...units } of charges.flatMap((charge) => charge.touched)) {
        const [, queue] = SHARD.exec(touched) ?? [];
        if (!queue && !shared.has(touched)) continue;
        const key = queue ?? touched;
        const part = queue ? perSecond / shards : perSecond;
        const hot = heat.get(key) ?? { reads: 0, writes: 0 };
        heat.set(key, {
          reads: hot.reads + units.reads * part,
          writes: hot.writes + units.writes * part,
        });
      }
    },
    total: () => ({
      reads,
      writes,
      hottestRead: hottest('reads'),
      hottestWrite: hottest('writes'),
      queue: heat.get(QUEUE) ?? { reads: 0, writes: 0 },
    }),
  };
}

/** Queries the table as usual and returns nothing: the work on a job is charged to the job. */
function seesNothing(jobs: Jobs): Jobs {
  return {
    ...jobs,
    listWork: async (...args) => (await jobs.listWork(...args)).slice(0, 0),
    listShard: async (...args) => (await jobs.listShard(...args)).slice(0, 0),
  };
}

const idOf = (kind: string, n: number) =>
  `${Buffer.from(kind.padEnd(4)).toString('hex').slice(0, 8)}-0000-8000-8000-${String(n).padStart(12, '0')}`;

function hostOf(machineId: string, now: number): Host {
  return {
    hostId: `${machineId}.run`,
    machineId,
    url: 'http://10.0.12.34:8190',
    state: 'ready',
    slots: 2,
    held: 1,
    models: [
      'flux2_dev_fp8mixed.safetensors',
      'mistral_3_small_flux2_fp8.safetensors',
      'flux2-vae.safetensors',
    ],
    loaded: MODELS,
    seenAt: now,
    startedAt: now,
    simulated: false,
    comfyui: true,
    comfyuiVersion: '0.33.0',
    inventoryHash: 'f'.repeat(64),
    jobSeconds: 45.123,
    release: RELEASE,
    devices: [{ name: 'cuda:0 NVIDIA L40S : cudaMallocAsync', vram: 46_068, vramFree: 9_412 }],
  };
}

/** The tag of the models that each job needs. */
const MODELS = 'a1b2c3d4';

function requestOf(jobId: string) {
  return {
    jobId,
    owner: 'alice',
    workflow: 'flux2-turbo',
    inputs: { prompt: 'p'.repeat(500), steps: STEPS },
    notes: [],
    bodyHash: 'b'.repeat(64),
    staging: [],
    graph: new Uint8Array(900),
    models: MODELS,
  };
}

function stateOf(jobId: string, work: 'waiting' | 'held', n: number, now: number): JobState {
  return {
    jobId,
    owner: 'alice',
    status: 'queued',
    attempt: work === 'held' ? 1 : 0,
    lostAttempts: 0,
    work,
    ...(work === 'held' && { host: `i-${n}.run`, claimedAt: now }),
    workOrder: workOrder(now, n, jobId, 'alice', now, MODELS),
    ownerOrder: ownerOrder(now, jobId),
    createdAt: now,
    progress: 0,
    currentStep: 0,
    totalSteps: STEPS,
  };
}

/**
 * Writes `count` hosts, one held job for each, and as many waiting jobs. The store says what the items are; they go to the
 * table in batches, without which ten thousand hosts would take minutes.
 */
async function seed({ documents }: Client, engine: Engine, count: number, now: number): Promise<void> {
  const puts: { table: string; Item: object }[] = [];
  const collected = (table: string) => (Item: object) => {
    puts.push({ table, Item: { v: SCHEMA_VERSION, ...Item } });
    return Promise.resolve(true);
  };
  const { hosts, jobs } = openTables({
    ...engine,
    table: (spec) => ({ ...engine.table(spec), put: collected(spec.name) }),
  });
  const expiresAt = Math.ceil(now / 1000) + 3600;
  for (let n = 0; n < count; n += 1) {
    await hosts.put(hostOf(`i-${n}`, now));
    for (const work of ['held', 'waiting'] as const)
      await jobs.putState(stateOf(idOf(work, n), work, n, now), expiresAt);
  }
  for (let from = 0; from < puts.length; from += TOGETHER) {
    const RequestItems: Record<string, { PutRequest: { Item: object } }[]> = {};
    for (const { table, Item } of puts.slice(from, from + TOGETHER))
      (RequestItems[table] ??= []).push({ PutRequest: { Item } });
    const { UnprocessedItems = {} } = await documents.send(new BatchWriteCommand({ RequestItems }));
    if (Object.keys(UnprocessedItems).length > 0)
      throw new Error('the embedded DynamoDB took a batch in part');
  }
}

function machinesOf(count: number): Machines {
  const instances = Array.from({ length: count }, (_, n) => ({
    id: `i-${n}`,
    state: 'in_service' as const,
    isProtected: true,
  }));
  return {
    describe: () => Promise.resolve({ desired: count, min: 0, max: count, instances }),
    launchFailure: () => Promise.resolve(undefined),
    raise: (desired) => Promise.resolve(desired),
    withdraw: () => Promise.resolve(count),
    terminate: () => Promise.resolve(),
    setOnDemandBase: () => Promise.resolve(),
  };
}
