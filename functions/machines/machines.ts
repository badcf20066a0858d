// The Auto Scaling group of GPU hosts; the only folder that knows Auto Scaling. It never lowers the desired capacity below
// the number of instances: an instance is terminated by its id. Every call is idempotent.

import {
  AutoScalingClient,
  AutoScalingServiceException,
  DescribeAutoScalingGroupsCommand,
  DescribeScalingActivitiesCommand,
  type Instance as GroupInstance,
  SetDesiredCapacityCommand,
  TerminateInstanceInAutoScalingGroupCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { AppError } from '../core/errors.ts';
import { lastLaunchFailure, type LaunchFailure } from './launches.ts';

export interface Instance {
  id: string;
  /** `ending`: it is terminating and does not count any more. */
  state: 'starting' | 'in_service' | 'ending';
  /** Protected from scale-in: only its own host, or the controller, ends it. */
  isProtected: boolean;
}

export interface Group {
  desired: number;
  min: number;
  max: number;
  instances: Instance[];
  /** The base number of on-demand instances; absent: the group has no mixed instances policy. */
  onDemandBase?: number;
  /** Present where launches are suspended: the reason, and the command that resumes them. */
  suspended?: { why: string; resume: string };
}

export interface Machines {
  /** @throws AppError bad_setting where the group does not exist */
  describe(): Promise<Group>;
  /** Why the last launch failed; undefined: it did not. */
  launchFailure(): Promise<LaunchFailure | undefined>;
  /** Never lowers the desired capacity, and stays within the group's max. @returns the desired capacity */
  raise(desired: number): Promise<number>;
  /** Sets the base number of on-demand instances; running ones do not change. */
  setOnDemandBase(instances: number): Promise<void>;
  /** Lowers the desired capacity to the instances that exist. @returns the desired capacity */
  withdraw(): Promise<number>;
  /** Terminates one instance and lowers the desired capacity by one. One that is gone or ending is no error. */
  terminate(instanceId: string): Promise<void>;
}

export interface MachinesSettings {
  group: string;
  region: string;
  /** Absent on AWS. */
  endpoint?: string | undefined;
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined;
}

/** Activities read: a failing launch is repeated about every minute. */
const ACTIVITIES = 20;
const TRIES = 3;

/** Makes no request yet; every method rejects with the SDK's error where AWS refuses or does not answer. */
export function createMachines({ group: AutoScalingGroupName, ...settings }: MachinesSettings): Machines {
  const client = new AutoScalingClient({
    region: settings.region,
    ...(settings.endpoint ? { endpoint: settings.endpoint } : {}),
    ...(settings.credentials ? { credentials: settings.credentials } : {}),
    // The SDK would repeat a terminate whose answer was lost, which might lower the desired capacity twice.
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 2000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  });

  async function read() {
    const { AutoScalingGroups: [found] = [] } = await again(() =>
      client.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [AutoScalingGroupName] })),
    );
    if (!found)
      throw new AppError(
        'bad_setting',
        `AUTO_SCALING_GROUP must name the group of the GPU hosts; there is no "${AutoScalingGroupName}" in ${settings.region}`,
      );
    return found;
  }

  async function describe(): Promise<Group> {
    const found = await read();
    const onDemandBase = found.MixedInstancesPolicy?.InstancesDistribution?.OnDemandBaseCapacity;
    const launch = found.SuspendedProcesses?.find(({ ProcessName }) => ProcessName === 'Launch');
    return {
      desired: found.DesiredCapacity ?? 0,
      min: found.MinSize ?? 0,
      max: found.MaxSize ?? 0,
      instances: (found.Instances ?? []).flatMap(instanceOf),
      ...(onDemandBase !== undefined && { onDemandBase }),
      ...(launch && {
        suspended: {
          why: launch.SuspensionReason || 'Auto Scaling does not say why',
          resume: `aws autoscaling resume-processes --region ${settings.region} --auto-scaling-group-name ${AutoScalingGroupName} --scaling-processes Launch`,
        },
      }),
    };
  }

  const setDesired = (DesiredCapacity: number) =>
    client.send(
      new SetDesiredCapacityCommand({ AutoScalingGroupName, DesiredCapacity, HonorCooldown: false }),
    );

  return {
    describe,

    async launchFailure() {
      const { Activities = [] } = await again(() =>
        client.send(new DescribeScalingActivitiesCommand({ AutoScalingGroupName, MaxRecords: ACTIVITIES })),
      );
      return lastLaunchFailure(
        Activities.map((activity) => ({
          description: activity.Description ?? '',
          status: activity.StatusCode ?? '',
          message: activity.StatusMessage || activity.Description || '',
          at: (activity.EndTime ?? activity.StartTime ?? new Date(0)).getTime(),
        })),
      );
    },

    async raise(asked) {
      // Read again: another process may have raised further, and setting a smaller number would lower it.
      const { desired, max } = await describe();
      const raised = Math.min(asked, max);
      if (raised <= desired) return desired;
      await setDesired(raised);
      return raised;
    },

    async setOnDemandBase(OnDemandBaseCapacity) {
      const { MixedInstancesPolicy: policy } = await read();
      // The whole distribution: Auto Scaling might reset omitted values to its defaults.
      const InstancesDistribution = { ...policy?.InstancesDistribution, OnDemandBaseCapacity };
      await client.send(
        new UpdateAutoScalingGroupCommand({
          AutoScalingGroupName,
          MixedInstancesPolicy: { InstancesDistribution },
        }),
      );
    },

    async withdraw() {
      // Read again. An instance that is launched in between is protected from scale-in, and stays.
      const { desired, min, instances } = await describe();
      const left = Math.max(min, instances.filter(({ state }) => state !== 'ending').length);
      if (left >= desired) return desired;
      await setDesired(left);
      return left;
    },

    async terminate(InstanceId) {
      const { instances } = await describe();
      const found = instances.find(({ id }) => id === InstanceId);
      if (!found || found.state === 'ending') return;
      const end = (ShouldDecrementDesiredCapacity: boolean) =>
        client.send(
          new TerminateInstanceInAutoScalingGroupCommand({ InstanceId, ShouldDecrementDesiredCapacity }),
        );
      try {
        await end(true);
      } catch (error) {
        if (isGone(error)) return;
        // The desired capacity is at the minimum, below the number of instances: it cannot be lowered.
        if (!isAtMinimum(error)) throw error;
        await end(false);
      }
    },
  };
}

/** Empty for instances that have left the group. */
function instanceOf({ InstanceId, LifecycleState, ProtectedFromScaleIn }: GroupInstance): Instance[] {
  const lifecycle = LifecycleState ?? '';
  if (!InstanceId || /^(Detach|Terminated|Warmed|Standby|EnteringStandby)/.test(lifecycle)) return [];
  const state = /^(Pending|Quarantined)/.test(lifecycle)
    ? 'starting'
    : lifecycle === 'InService'
      ? 'in_service'
      : 'ending';
  return [{ id: InstanceId, state, isProtected: ProtectedFromScaleIn ?? false }];
}

function isGone(error: unknown): boolean {
  return isValidation(error) && /not found|no managed instance/i.test(error.message);
}

function isAtMinimum(error: unknown): boolean {
  return isValidation(error) && /min ?size/i.test(error.message);
}

function isValidation(error: unknown): error is AutoScalingServiceException {
  return error instanceof AutoScalingServiceException && error.name === 'ValidationError';
}

/** Did AWS refuse the call for good? Not for throttling, nor for a call without an answer. */
export function isRefusal(error: unknown): boolean {
  return (
    error instanceof AutoScalingServiceException &&
    error.$fault === 'client' &&
    !/Throttl|RequestLimitExceeded|ResourceContention|ScalingActivityInProgress/.test(error.name)
  );
}

/** Retries reads. */
async function again<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await ask();
    } catch (error) {
      if (tried === TRIES || isRefusal(error)) throw error;
    }
  }
}
