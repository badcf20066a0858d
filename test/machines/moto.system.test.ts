// functions/machines against moto's server, an independent Auto Scaling: that the calls are those of AWS. What moto
// gets wrong (bounds, failing launches, decrement below 0) is in machines.test.ts.

import {
  AutoScalingClient,
  CreateAutoScalingGroupCommand,
  CreateLaunchConfigurationCommand,
  ResumeProcessesCommand,
  SuspendProcessesCommand,
} from '@aws-sdk/client-auto-scaling';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMachines } from '../../functions/machines/machines.ts';
import { hasMoto, type Moto, startMoto } from '../support/moto.ts';

describe.skipIf(!hasMoto)('on moto (skipped: moto_server is not installed)', () => {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
    const client = new AutoScalingClient({ region: 'us-east-1', endpoint: moto.url, credentials });
    await client.send(
      new CreateLaunchConfigurationCommand({
        LaunchConfigurationName: 'gpu',
        ImageId: 'ami-12c6146b',
        InstanceType: 'g5.xlarge',
      }),
    );
    await client.send(
      new CreateAutoScalingGroupCommand({
        AutoScalingGroupName: 'gpu-hosts',
        LaunchConfigurationName: 'gpu',
        MinSize: 0,
        MaxSize: 2,
        DesiredCapacity: 0,
        AvailabilityZones: ['us-east-1a'],
        NewInstancesProtectedFromScaleIn: true,
      }),
    );
  }, 90_000);
  afterAll(() => moto?.close());

  test('a group is raised from nothing, and its instances end one by one', async () => {
    const machines = createMachines({
      group: 'gpu-hosts',
      region: 'us-east-1',
      endpoint: moto.url,
      credentials,
    });
    expect(await machines.describe()).toEqual({ desired: 0, min: 0, max: 2, instances: [] });
    expect(await machines.raise(5)).toBe(2);
    const { desired, instances } = await machines.describe();
    expect(desired).toBe(2);
    expect(instances).toEqual(
      [1, 2].map(() => ({ id: expect.stringMatching(/^i-/), state: 'in_service', isProtected: true })),
    );
    expect(await machines.launchFailure()).toBeUndefined();
    await machines.terminate(instances[0]!.id);
    expect(await machines.describe()).toMatchObject({ desired: 1, instances: [{ id: instances[1]!.id }] });
    await machines.terminate(instances[0]!.id);
    await machines.terminate(instances[1]!.id);
    expect(await machines.describe()).toMatchObject({ desired: 0, instances: [] });
  });

  test('a group whose launches a person suspended says so until they are resumed', async () => {
    const client = new AutoScalingClient({ region: 'us-east-1', endpoint: moto.url, credentials });
    const processes = { AutoScalingGroupName: 'gpu-hosts', ScalingProcesses: ['Launch'] };
    const machines = createMachines({
      group: 'gpu-hosts',
      region: 'us-east-1',
      endpoint: moto.url,
      credentials,
    });
    await client.send(new SuspendProcessesCommand(processes));
    expect((await machines.describe()).suspended).toMatchObject({
      resume: expect.stringContaining('resume-processes'),
    });
    await client.send(new ResumeProcessesCommand(processes));
    expect((await machines.describe()).suspended).toBeUndefined();
  });

  test('what was not launched is taken back', async () => {
    const machines = createMachines({
      group: 'gpu-hosts',
      region: 'us-east-1',
      endpoint: moto.url,
      credentials,
    });
    // moto launches at once whatever is asked for: nothing is left to take back.
    await machines.raise(1);
    expect(await machines.withdraw()).toBe(1);
    await machines.terminate((await machines.describe()).instances[0]!.id);
    expect(await machines.withdraw()).toBe(0);
  });

  test('a group that is gone is said', async () => {
    const machines = createMachines({ group: 'none', region: 'us-east-1', endpoint: moto.url, credentials });
    await expect(machines.describe()).rejects.toThrow('there is no "none"');
  });
});
