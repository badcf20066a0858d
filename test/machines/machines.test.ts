// functions/machines against a small server with Auto Scaling's protocol: bounds, failed launches, lost answers.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMachines, isRefusal, type Machines } from '../../functions/machines/machines.ts';
import { type FakeAutoScaling, GROUP, startFakeAutoScaling } from './fake-auto-scaling.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
let aws: FakeAutoScaling;
let machines: Machines;
const connect = (group = GROUP) =>
  createMachines({ group, region: 'us-east-1', endpoint: aws.url, credentials });
beforeEach(async () => {
  aws = await startFakeAutoScaling({ max: 3 });
  machines = connect();
});
afterEach(() => aws.close());

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('the group', () => {
  test.each([
    ['Pending', 'starting'],
    ['Pending:Wait', 'starting'],
    ['InService', 'in_service'],
    ['Terminating', 'ending'],
    ['Terminating:Wait', 'ending'],
    ['Detaching', undefined],
    ['Standby', undefined],
    ['Terminated', undefined],
  ])('an instance that is %s is %s', async (lifecycle, state) => {
    aws.instances.set('i-a', lifecycle);
    const { instances } = await machines.describe();
    expect(instances).toEqual(state === undefined ? [] : [{ id: 'i-a', state, isProtected: true }]);
  });

  test('one that is not there is said by name', async () => {
    expect(await failureOf(connect('gone').describe())).toMatchObject({
      code: 'bad_setting',
      message: expect.stringMatching(/^AUTO_SCALING_GROUP must .*"gone" in us-east-1$/) as string,
    });
  });

  test('a read is tried again where nothing came, and not where it was refused', async () => {
    let asked = 0;
    aws.fault = () => ((asked += 1) < 3 ? 'stop' : undefined);
    expect(await machines.describe()).toMatchObject({ desired: 0, min: 0, max: 3 });
    aws.fault = () => ({ code: 'AccessDenied', status: 403, message: 'not authorized' });
    asked = 0;
    expect(isRefusal(await failureOf(machines.describe()))).toBe(true);
  });

  test('a throttled call is no refusal', async () => {
    let asked = 0;
    aws.fault = () => {
      asked += 1;
      return { code: 'Throttling', status: 400, message: 'Rate exceeded' };
    };
    expect(isRefusal(await failureOf(machines.describe()))).toBe(false);
    expect(asked).toBe(3);
  });
});

describe('raising', () => {
  test('up to the max of the group, and never down', async () => {
    expect(await machines.raise(2)).toBe(2);
    expect(await machines.raise(9)).toBe(3);
    expect(await machines.raise(1)).toBe(3);
    expect(aws.calls).toEqual(['SetDesiredCapacity 2', 'SetDesiredCapacity 3']);
  });

  test('a max that was lowered in between is a refusal', async () => {
    aws.fault = (action) => {
      if (action === 'SetDesiredCapacity') aws.group.max = 1;
      return undefined;
    };
    const error = await failureOf(machines.raise(2));
    expect(error).toMatchObject({
      name: 'ValidationError',
      message: expect.stringContaining('above max value 1'),
    });
    expect(isRefusal(error)).toBe(true);
  });

  test('a raise whose answer is lost is made once; again, it finds what it wants', async () => {
    aws.fault = (action) => (action === 'SetDesiredCapacity' ? 'lose' : undefined);
    expect(isRefusal(await failureOf(machines.raise(2)))).toBe(false);
    aws.fault = undefined;
    expect(await machines.raise(2)).toBe(2);
    expect(aws.calls).toEqual(['SetDesiredCapacity 2']);
  });
});

describe('taking back what was not launched', () => {
  test('leaves what runs, starts or was raised to by then', async () => {
    aws.group.desired = 2;
    aws.pass(NOW);
    aws.instances.set('i-going', 'Terminating');
    aws.group.desired = 3;
    expect(await machines.withdraw()).toBe(2);
    expect(await machines.withdraw()).toBe(2);
    expect(aws.calls).toEqual(['SetDesiredCapacity 2']);
  });

  test('never goes below the least of the group, and never raises', async () => {
    aws.group = { desired: 3, min: 1, max: 3 };
    expect(await machines.withdraw()).toBe(1);
    aws.group = { desired: 1, min: 0, max: 3 };
    aws.instances.set('i-a', 'InService').set('i-b', 'Pending');
    expect(await machines.withdraw()).toBe(1);
    expect(aws.calls).toEqual(['SetDesiredCapacity 1']);
  });

  test('one whose answer is lost is found done', async () => {
    aws.group.desired = 2;
    aws.fault = (action) => (action === 'SetDesiredCapacity' ? 'lose' : undefined);
    expect(isRefusal(await failureOf(machines.withdraw()))).toBe(false);
    aws.fault = undefined;
    expect(await machines.withdraw()).toBe(0);
    expect(aws.calls).toEqual(['SetDesiredCapacity 0']);
  });
});

describe('a group whose launches are suspended', () => {
  test('says so, with what resumes them', async () => {
    expect((await machines.describe()).suspended).toBeUndefined();
    aws.suspended = 'Administratively suspended at 2026-11-24T12:00:00Z';
    expect((await machines.describe()).suspended).toEqual({
      why: 'Administratively suspended at 2026-11-24T12:00:00Z',
      resume:
        'aws autoscaling resume-processes --region us-east-1 --auto-scaling-group-name gpu-hosts --scaling-processes Launch',
    });
  });
});

describe('ending', () => {
  beforeEach(() => {
    aws.group.desired = 2;
    aws.pass(NOW);
    aws.pass(NOW);
  });
  const [first, second] = ['i-00000000000000001', 'i-00000000000000002'] as const;

  test('one goes, and one less is wanted', async () => {
    await machines.terminate(first);
    aws.pass(NOW);
    expect(await machines.describe()).toMatchObject({ desired: 1, instances: [{ id: second }] });
  });

  test('what is ending or gone is not ended again: nothing more is taken off', async () => {
    aws.fault = (action) => (action.startsWith('Terminate') ? 'lose' : undefined);
    await failureOf(machines.terminate(first));
    aws.fault = undefined;
    await machines.terminate(first);
    aws.pass(NOW);
    await machines.terminate(first);
    await machines.terminate('i-never-was');
    expect(aws.calls).toEqual([`Terminate ${first}`]);
    expect(aws.group.desired).toBe(1);
  });

  test('one that goes between the read and the call is no error', async () => {
    aws.fault = (action) => {
      if (action.startsWith('Terminate')) aws.instances.clear();
      return undefined;
    };
    await machines.terminate(first);
    expect(aws.calls).toEqual([]);
  });

  test('where somebody lowered what is desired there is nothing to take off', async () => {
    aws.group.desired = 0;
    await machines.terminate(first);
    expect(aws.calls).toEqual([`Terminate ${first} and replace`]);
    expect(aws.group.desired).toBe(0);
  });

  test('without permission it is said', async () => {
    aws.fault = (action) =>
      action.startsWith('Terminate') ? { code: 'AccessDenied', status: 403, message: 'no' } : undefined;
    expect(await failureOf(machines.terminate(first))).toMatchObject({ name: 'AccessDenied' });
  });
});

describe('launches', () => {
  test('one that failed is reported with its reason until one succeeds', async () => {
    aws.group.desired = 1;
    aws.launchError = 'You have requested more vCPU capacity than your current vCPU limit of 0 allows';
    aws.pass(NOW);
    expect(await machines.launchFailure()).toEqual({
      code: 'quota',
      reason: expect.stringContaining('npm run doctor') as string,
      at: NOW,
    });
    aws.launchError = undefined;
    aws.pass(NOW + 1000);
    expect(await machines.launchFailure()).toBeUndefined();
  });

  test('a launch template whose AMI parameter is gone is reported', async () => {
    aws.group.desired = 1;
    aws.launchError =
      'Could not resolve the SSM parameter /aws/service/deeplearning/ami. Launching EC2 instance failed.';
    aws.pass(NOW);
    expect(await machines.launchFailure()).toMatchObject({
      code: 'bad_template',
      reason: expect.stringContaining('npm run deploy') as string,
    });
  });
});
