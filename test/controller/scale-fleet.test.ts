// Rounds of scaling against real tables and a server with Auto Scaling's protocol: what is done, written and measured,
// and what becomes of a controller that dies, hears nothing, is not alone or has a wrong clock.

import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { scaleFleet, type ScaleDeps } from '../../functions/controller/scale-fleet.ts';
import type { JobState } from '../../functions/core/job.ts';
import { estimateOf } from '../../functions/core/estimate.ts';
import { waitForHost } from '../../functions/core/waiting.ts';
import { NEVER_WARM } from '../../functions/core/warm-schedule.ts';
import { createLog } from '../../functions/log.ts';
import { createMachines } from '../../functions/machines/machines.ts';
import { createMetrics } from '../../functions/metrics.ts';
import { createStoreClient, engineOf } from '../../functions/store/dynamodb/client.ts';
import { createFleetStore } from '../../functions/store/fleet.ts';
import { fleetTable } from '../../functions/store/tables.ts';
import { type FakeAutoScaling, GROUP, startFakeAutoScaling } from '../machines/fake-auto-scaling.ts';
import { hostItem } from '../support/host-item.ts';
import { CREDENTIALS, type DynamoStore, REGION, startStore, type TestStore } from '../support/store.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
let store: TestStore;
let aws: FakeAutoScaling;
let clock = 0;
let measured: Record<string, unknown>[] = [];
let logged: string[] = [];
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.close());
beforeEach(async () => {
  aws = await startFakeAutoScaling({ max: 4 });
  clock = Date.now();
  measured = [];
  logged = [];
  await store.engine.table(fleetTable).remove({ fleetId: 'gpu-hosts' });
  for (const { jobId } of await store.jobs.listWork('waiting', 100)) await store.jobs.remove(jobId);
  for (const { hostId } of await store.hosts.list()) await store.hosts.remove(hostId);
});
afterEach(() => aws.close());

function deps(more: Partial<ScaleDeps> = {}): ScaleDeps {
  return {
    jobs: store.jobs,
    hosts: store.hosts,
    fleet: createFleetStore(store.engine),
    machines: createMachines({
      group: GROUP,
      region: 'us-east-1',
      endpoint: aws.url,
      credentials: CREDENTIALS,
    }),
    metrics: createMetrics(
      'controller',
      'test',
      () => clock,
      (line) => measured.push(JSON.parse(line) as Record<string, unknown>),
    ),
    log: createLog('controller', 'info', (line) => logged.push(line)),
    now: () => clock,
    maxHosts: 3,
    warmth: NEVER_WARM,
    spot: false,
    release: 'r1',
    ...more,
  };
}

const fleet = () => deps().fleet.read();

async function accept(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const jobId = randomUUID();
    const order = `${String(clock).padStart(13, '0')}#${jobId}`;
    const state: JobState = {
      jobId,
      owner: 'a',
      status: 'queued',
      attempt: 0,
      lostAttempts: 0,
      work: 'waiting',
      workOrder: order,
      ownerOrder: order,
      createdAt: clock,
      progress: 0,
      currentStep: 0,
      totalSteps: 0,
    };
    await store.jobs.putState(state, Math.ceil(clock / 1000) + 3600);
  }
}

/** What EC2 and the hosts do in between: instances start, those named are up. */
async function pass(ms: number, up?: string[]): Promise<void> {
  clock += ms;
  aws.pass(clock);
  for (const id of up ?? aws.instances.keys())
    await store.hosts.put(hostItem(`${id}.run`, clock, { machineId: id, release: 'r1', jobSeconds: 60 }));
}

test('the first job wakes a host, a backlog raises, and what was done is written and measured', async () => {
  await accept(1);
  clock += 3 * SECOND;
  await scaleFleet(deps());
  expect(aws.calls).toEqual(['SetDesiredCapacity 1']);
  expect(await fleet()).toMatchObject({ desired: 1, wanted: 1, ready: 0, raisedAt: clock, updatedAt: clock });
  expect(measured[0]).toMatchObject({
    service: 'controller',
    waiting: 1,
    oldest_waiting: 3,
    hosts_ready: 0,
    hosts_wanted: 1,
  });
  expect(measured[0]).not.toHaveProperty('start_blocked');

  await pass(MINUTE, []);
  await scaleFleet(deps());
  await pass(3 * MINUTE);
  await accept(20);
  await scaleFleet(deps());
  expect(aws.calls).toEqual(['SetDesiredCapacity 1', 'SetDesiredCapacity 3']);
  expect(await fleet()).toMatchObject({ desired: 3, ready: 1, secondsPerJob: 60, secondsPerStart: 180 });
});

test('a hurried call is a round for the first job alone', async () => {
  await accept(1);
  await scaleFleet(deps(), { hurried: true });
  await accept(60);
  clock += 30 * SECOND;
  await scaleFleet(deps(), { hurried: true });
  expect(aws.calls).toEqual(['SetDesiredCapacity 1']);
  expect(measured).toHaveLength(1);
});

test('the record of a stream that is ahead of the index wakes a host, one of a job that ended does not', async () => {
  await accept(1);
  const [job] = await store.jobs.listWork('waiting', 1);
  const behind: ScaleDeps['jobs'] = {
    ...store.jobs,
    countWork: () => Promise.resolve(0),
    listWork: () => Promise.resolve([]),
  };
  await scaleFleet(deps({ jobs: behind }), { hurried: true, began: [randomUUID()] });
  expect(aws.calls).toEqual([]);
  clock += MINUTE;
  await scaleFleet(deps({ jobs: behind }), { hurried: true, began: [job!.jobId] });
  expect(aws.calls).toEqual(['SetDesiredCapacity 1']);
});

test('a job that hosts leave alone wakes none again, one beside it does', async () => {
  await accept(1);
  const [job] = await store.jobs.listWork('waiting', 1);
  await scaleFleet(deps());
  await pass(MINUTE);
  for (const host of await store.hosts.list()) await store.hosts.put({ ...host, unrunnable: [job!.jobId] });
  await scaleFleet(deps());
  // It was idle for its minutes, and ended itself.
  for (const { hostId } of await store.hosts.list()) await store.hosts.remove(hostId);
  aws.group.desired = 0;
  aws.instances.clear();
  for (let minute = 0; minute < 5; minute += 1) {
    await pass(MINUTE, []);
    await scaleFleet(deps());
  }
  expect(aws.calls).toEqual(['SetDesiredCapacity 1']);
  expect(measured.at(-1)).toMatchObject({ waiting: 1, hosts_wanted: 0 });
  await accept(1);
  await scaleFleet(deps(), { hurried: true });
  expect(aws.calls).toEqual(['SetDesiredCapacity 1', 'SetDesiredCapacity 1']);
});

test('what never came up is ended, nothing more is started, and it is said', async () => {
  await accept(10);
  await scaleFleet(deps());
  for (let minute = 0; minute <= 16; minute += 1) {
    await pass(MINUTE, []);
    await scaleFleet(deps());
  }
  expect(aws.calls.filter((call) => call.startsWith('Terminate'))).toHaveLength(2);
  expect(aws.group.desired).toBe(0);
  expect(await fleet()).toMatchObject({ failedStarts: 2, blocked: { code: 'never_registered' }, desired: 0 });
  expect(measured.at(-1)).toMatchObject({
    start_blocked: 1,
    reason: expect.stringContaining('did not come up within 15 minutes'),
  });
  expect(logged.filter((line) => line.includes('fleet.start_blocked'))).toHaveLength(1);
});

describe('a quota of 0', () => {
  beforeEach(async () => {
    aws.launchError = 'You have requested more vCPU capacity than your current vCPU limit of 0 allows';
    await accept(1);
    await scaleFleet(deps());
    await pass(MINUTE);
    await scaleFleet(deps());
  });

  test('is said, what was asked for is taken back, and it ends when AWS launches after all', async () => {
    expect(await fleet()).toMatchObject({ blocked: { code: 'quota' }, desired: 0 });
    expect(measured.at(-1)).toMatchObject({ start_blocked: 1 });
    aws.launchError = undefined;
    await pass(MINUTE, []);
    await scaleFleet(deps());
    expect(aws.calls).toEqual(['SetDesiredCapacity 1', 'SetDesiredCapacity 0', 'SetDesiredCapacity 1']);
    // It is tried, not known yet.
    expect((await fleet()).blocked).toMatchObject({ code: 'quota' });
    await pass(MINUTE, []);
    await scaleFleet(deps());
    expect((await fleet()).blocked).toBeUndefined();
  });

  test('of 25 hours is tried again and again, and AWS never suspends the launches', async () => {
    const blocked = await fleet();
    for (let minutes = 0; minutes < 25 * 60; minutes += 5) {
      await pass(5 * MINUTE, []);
      await scaleFleet(deps());
    }
    expect(aws.suspended).toBeUndefined();
    expect((await fleet()).blocked).toEqual(blocked.blocked);
    const tries = aws.calls.filter((call) => call === 'SetDesiredCapacity 1').length;
    expect(tries).toBeGreaterThan(25);
    expect(tries).toBeLessThan(25 * 6);
    aws.launchError = undefined;
    for (let minute = 0; minute < 20; minute += 1) {
      await pass(MINUTE, []);
      await scaleFleet(deps());
    }
    expect(await fleet()).toMatchObject({ desired: 1 });
    expect((await fleet()).blocked).toBeUndefined();
    expect(aws.instances.size).toBe(1);
  });

  test('is no concern of anybody once nothing waits', async () => {
    for (const { jobId } of await store.jobs.listWork('waiting', 100)) await store.jobs.remove(jobId);
    await pass(MINUTE, []);
    await scaleFleet(deps());
    expect(await fleet()).toMatchObject({ desired: 0 });
    expect((await fleet()).blocked).toBeUndefined();
    expect(measured.at(-1)).not.toHaveProperty('start_blocked');
  });
});

test('launches that are suspended are said with the command that resumes them, and nothing is asked for', async () => {
  aws.suspended = 'Administratively suspended at 2026-11-24T12:00:00Z';
  aws.group.desired = 1;
  await accept(1);
  await scaleFleet(deps());
  expect(aws.calls).toEqual(['SetDesiredCapacity 0']);
  expect((await fleet()).blocked).toMatchObject({
    code: 'launch_suspended',
    reason: expect.stringMatching(/^launch suspended \(.*aws autoscaling resume-processes .*gpu-hosts/),
  });
  // As the api reports it.
  expect(waitForHost(estimateOf([], await fleet(), 0, clock), 'any').phrase).toMatch(
    /Administratively suspended at 2026-11-24T12:00:00Z.* aws autoscaling resume-processes --region us-east-1 --auto-scaling-group-name gpu-hosts --scaling-processes Launch$/,
  );
  await pass(MINUTE, []);
  await scaleFleet(deps());
  expect(aws.calls).toHaveLength(1);
  aws.suspended = undefined;
  await pass(MINUTE, []);
  await scaleFleet(deps());
  expect(aws.calls).toEqual(['SetDesiredCapacity 0', 'SetDesiredCapacity 1']);
  expect((await fleet()).blocked).toBeUndefined();
});

test('hosts of an old release are asked to retire, one after the other', async () => {
  aws.group.desired = 2;
  await pass(0);
  await scaleFleet(deps());
  const retired = async () => (await store.hosts.list()).filter(({ retire }) => retire).length;
  clock += 30 * SECOND;
  for (let round = 0; round < 2; round += 1) await scaleFleet(deps({ release: 'r2' }));
  expect(await retired()).toBe(1);
  // The first is gone.
  aws.group.desired = 1;
  for (const host of await store.hosts.list())
    if (host.retire) {
      await store.hosts.remove(host.hostId);
      aws.instances.delete(host.machineId);
    }
  await scaleFleet(deps({ release: 'r2' }));
  expect(await retired()).toBe(1);
});

test('a host of the next release is kept while the deployment has not reached the controller', async () => {
  await scaleFleet(deps());
  clock += 30 * SECOND;
  aws.group.desired = 1;
  for (let minute = 0; minute < 3; minute += 1) {
    await pass(MINUTE);
    for (const host of await store.hosts.list()) await store.hosts.put({ ...host, release: 'r2' });
    await scaleFleet(deps());
  }
  expect((await store.hosts.list()).map(({ retire }) => retire)).toEqual([undefined]);
  // One that the next deployment finds is rolled.
  clock += 30 * SECOND;
  await scaleFleet(deps({ release: 'r3' }));
  expect((await store.hosts.list()).map(({ retire }) => retire)).toEqual([true]);
});

describe('a controller that', () => {
  /** It stops at its next call of `action`, before or after that is done. */
  async function dieAt(action: string, how: 'lose' | 'stop'): Promise<void> {
    aws.fault = (asked) => (asked === action ? how : undefined);
    const gone = deps();
    // What comes after its death does not happen.
    const dead = new Promise<never>(() => undefined);
    const died = new Promise<void>((resolve) => {
      const die = (): Promise<never> => {
        resolve();
        return dead;
      };
      const { machines } = gone;
      gone.machines = {
        ...machines,
        raise: (desired) => machines.raise(desired).catch(die),
        terminate: (id) => machines.terminate(id).catch(die),
      };
    });
    void scaleFleet(gone);
    await died;
    aws.fault = undefined;
  }

  test('dies before it raises: the next round does it', async () => {
    await accept(1);
    await dieAt('SetDesiredCapacity', 'stop');
    expect(aws.calls).toEqual([]);
    clock += MINUTE;
    await scaleFleet(deps());
    expect(aws.calls).toEqual(['SetDesiredCapacity 1']);
  });

  test('dies after it raised: the next round raises no further', async () => {
    await accept(30);
    await dieAt('SetDesiredCapacity', 'lose');
    for (let round = 0; round < 4; round += 1) {
      await pass(MINUTE, []);
      await scaleFleet(deps());
    }
    expect(aws.calls).toEqual(['SetDesiredCapacity 3']);
  });

  test.each(['stop', 'lose'] as const)(
    'dies while it ends an instance (%s): it is ended once',
    async (how) => {
      await accept(1);
      await scaleFleet(deps());
      for (let minute = 0; minute < 15; minute += 1) {
        await pass(MINUTE, []);
        await scaleFleet(deps());
      }
      await pass(MINUTE, []);
      await dieAt('TerminateInstanceInAutoScalingGroup', how);
      clock += SECOND;
      await scaleFleet(deps());
      expect(aws.calls.filter((call) => call.startsWith('Terminate'))).toHaveLength(1);
      // The job still waits: the one that is wanted now is the replacement.
      expect(aws.group.desired).toBe(1);
      expect((await fleet()).failedStarts).toBe(1);
    },
  );

  test('hears no answer to its raise says so, and finds it done', async () => {
    await accept(1);
    aws.fault = (action) => (action === 'SetDesiredCapacity' ? 'lose' : undefined);
    await scaleFleet(deps());
    expect(await fleet()).toMatchObject({
      lastError: { message: expect.stringMatching(/^raise: /), at: clock },
    });
    expect((await fleet()).blocked).toBeUndefined();
    aws.fault = undefined;
    clock += MINUTE;
    await scaleFleet(deps());
    expect(aws.calls).toEqual(['SetDesiredCapacity 1']);
  });

  test('is refused says so, and tries again after five minutes', async () => {
    await accept(1);
    aws.fault = (action) =>
      action === 'SetDesiredCapacity'
        ? { code: 'AccessDenied', status: 403, message: 'not authorized' }
        : undefined;
    await scaleFleet(deps());
    expect(await fleet()).toMatchObject({
      blocked: {
        code: 'raise_refused',
        reason: 'Auto Scaling refused to raise their number: AccessDenied: not authorized',
      },
    });
    aws.fault = undefined;
    clock += 4 * MINUTE;
    await scaleFleet(deps());
    expect(aws.calls).toEqual([]);
    clock += 2 * MINUTE;
    await scaleFleet(deps());
    expect(aws.calls).toEqual(['SetDesiredCapacity 1']);
  });

  test('gets no answer from Auto Scaling at all writes that down, still measures, and fails', async () => {
    await accept(2);
    aws.fault = () => 'stop';
    await expect(scaleFleet(deps())).rejects.toThrow(/hang up|ECONNRESET/);
    expect((await fleet()).lastError?.at).toBe(clock);
    expect(measured).toMatchObject([{ waiting: 2 }]);
  });

  test('is not alone: of two at once one acts', async () => {
    await accept(30);
    // Both have read before either writes.
    let read = 0;
    let bothHaveRead: () => void = () => undefined;
    const both = new Promise<void>((resolve) => {
      bothHaveRead = resolve;
    });
    const racing = () => {
      const { fleet: own, ...rest } = deps();
      return {
        ...rest,
        fleet: {
          ...own,
          async read() {
            const found = await own.read();
            if ((read += 1) === 2) bothHaveRead();
            await both;
            return found;
          },
        },
      };
    };
    await Promise.all([scaleFleet(racing()), scaleFleet({ ...racing(), maxHosts: 2 })]);
    expect(aws.calls).toHaveLength(1);
    expect(logged.filter((line) => line.includes('fleet.decision_discarded'))).toHaveLength(1);
    expect((await fleet()).version).toBe(1);
  });

  test.runIf(inject('engine') === 'dynamodb').each([-2, 2])(
    'has a clock that is off by %d hours counts by that of the table',
    async (hours) => {
      const client = createStoreClient(
        { endpoint: (store as DynamoStore).url, region: REGION, credentials: CREDENTIALS },
        () => Date.now() + hours * 60 * MINUTE,
      );
      await accept(1);
      await scaleFleet(deps());
      await pass(0, []);
      await scaleFleet(deps());
      await scaleFleet(
        deps({ fleet: createFleetStore(engineOf(client, '')), now: () => client.clock.now() }),
      );
      client.raw.destroy();
      const { seen, updatedAt, failedStarts } = await fleet();
      expect({ failedStarts, ended: aws.calls.length }).toEqual({ failedStarts: 0, ended: 1 });
      expect(Object.keys(seen)).toHaveLength(1);
      expect(Math.abs(updatedAt - Date.now())).toBeLessThan(5 * SECOND);
    },
  );
});

describe('spot instances that are not to be had', () => {
  const spot = () => deps({ spot: true });

  test('are given up after some minutes for hosts on demand, and come back to when none is left', async () => {
    aws.group.onDemandBase = 0;
    aws.spotError = 'Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity';
    await accept(30);
    for (let minutes = 0; minutes < 15; minutes += 1) {
      await scaleFleet(spot());
      await pass(MINUTE);
    }
    // As many as the backlog wants, in one step, and the rest of the mixture as it was.
    expect(aws.calls.filter((call) => call.startsWith('OnDemand'))).toEqual([
      'OnDemandBaseCapacity 3, 0 % above',
    ]);
    const firstSpot = aws.calls.indexOf('OnDemandBaseCapacity 3, 0 % above');
    expect(aws.calls.slice(0, firstSpot).filter((call) => call.startsWith('Terminate'))).toEqual([]);
    expect([...aws.instances.keys()].every((id) => aws.onDemand.has(id))).toBe(true);
    expect(aws.instances.size).toBe(3);
    expect(await fleet()).toMatchObject({ ready: 3 });
    expect((await fleet()).blocked).toBeUndefined();

    // Nothing waits any more; the hosts end themselves.
    for (const { jobId } of await store.jobs.listWork('waiting', 100)) await store.jobs.remove(jobId);
    await scaleFleet(spot());
    expect(aws.calls.at(-1)).not.toBe('OnDemandBaseCapacity 0, 0 % above');
    for (const id of aws.instances.keys()) await deps().machines.terminate(id);
    await pass(MINUTE, []);
    for (const { hostId } of await store.hosts.list()) await store.hosts.remove(hostId);
    await scaleFleet(spot());
    expect(aws.calls.at(-1)).toBe('OnDemandBaseCapacity 0, 0 % above');
  }, 60_000);

  test('are waited for where hosts are on demand anyway, and where another cause keeps them', async () => {
    aws.launchError =
      'VcpuLimitExceeded: You have requested more vCPU capacity than your current vCPU limit of 0';
    aws.group.onDemandBase = 0;
    await accept(1);
    for (let minutes = 0; minutes < 8; minutes += 1) {
      await scaleFleet(spot());
      await pass(MINUTE, []);
    }
    aws.launchError = 'InsufficientInstanceCapacity';
    for (let minutes = 0; minutes < 8; minutes += 1) {
      await scaleFleet(deps());
      await pass(MINUTE, []);
    }
    expect(aws.calls.filter((call) => call.startsWith('OnDemand'))).toEqual([]);
  }, 60_000);
});
