// Auto Scaling's query protocol over real HTTP, for one group: what moto gets wrong (the bounds of a group, launches
// that fail, instances that take their time), and answers that are lost. A test turns what EC2 can start.
// Source: Amazon EC2 Auto Scaling API reference, version 2011-01-01.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeActivity {
  description: string;
  status: string;
  message: string;
  startedAt: number;
  endedAt?: number | undefined;
}

export interface FakeAutoScaling {
  url: string;
  group: { desired: number; min: number; max: number; onDemandBase?: number };
  /** Id to lifecycle state. */
  instances: Map<string, string>;
  /** Newest first. */
  activities: FakeActivity[];
  /** What was asked for and granted, such as "SetDesiredCapacity 2". */
  calls: string[];
  /** Why EC2 launches nothing; undefined: it launches. */
  launchError: string | undefined;
  /** Why EC2 has no spot instance; undefined: it has. All are on demand where the group has no number of those. */
  spotError: string | undefined;
  /** Of those that were launched. */
  onDemand: Set<string>;
  /** Why `Launch` is suspended; undefined: it is not. After a day of nothing but failures it is, until a person resumes it. */
  suspended: string | undefined;
  /** `lose`: it is done, and the answer never comes. `stop`: nothing is done, and no answer comes. */
  fault:
    | ((action: string) => 'lose' | 'stop' | { code: string; status: number; message: string } | undefined)
    | undefined;
  /** What Auto Scaling does by itself: starts what lacks, lets go what is ending, gives up after a day. */
  pass(now: number): void;
  close(): Promise<void>;
}

class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

export const GROUP = 'gpu-hosts';
/** Source: "Suspend and resume Amazon EC2 Auto Scaling processes": groups that tried for over 24 hours without success. */
const SUSPENDED_AFTER = 24 * 60 * 60_000;

export async function startFakeAutoScaling(bounds: { max: number; min?: number }): Promise<FakeAutoScaling> {
  let launched = 0;
  let failingSince: number | undefined;
  const fake: FakeAutoScaling = {
    url: '',
    group: { desired: 0, min: bounds.min ?? 0, max: bounds.max },
    instances: new Map(),
    activities: [],
    calls: [],
    launchError: undefined,
    spotError: undefined,
    onDemand: new Set(),
    suspended: undefined,
    fault: undefined,
    pass(now) {
      for (const [id, state] of fake.instances) if (state === 'Terminating') fake.instances.delete(id);
      for (const [id, state] of fake.instances) if (state === 'Pending') fake.instances.set(id, 'InService');
      if (fake.instances.size >= fake.group.desired) failingSince = undefined;
      while (fake.instances.size < fake.group.desired) {
        if (fake.suspended !== undefined) return;
        const { onDemandBase } = fake.group;
        const there = [...fake.instances.keys()].filter((id) => fake.onDemand.has(id)).length;
        const isSpot = onDemandBase !== undefined && there >= onDemandBase;
        const why = fake.launchError ?? (isSpot ? fake.spotError : undefined);
        if (why !== undefined) {
          failingSince ??= now;
          if (now - failingSince > SUSPENDED_AFTER)
            fake.suspended = `Administratively suspended at ${new Date(now).toISOString()}`;
          fake.activities.unshift({
            description: `Launching a new EC2 instance.  Status Reason: ${why}`,
            status: 'Failed',
            message: why,
            startedAt: now,
            endedAt: now,
          });
          return;
        }
        failingSince = undefined;
        launched += 1;
        const id = `i-${String(launched).padStart(17, '0')}`;
        fake.instances.set(id, 'Pending');
        if (!isSpot) fake.onDemand.add(id);
        fake.activities.unshift({
          description: `Launching a new EC2 instance: ${id}`,
          status: 'Successful',
          message: '',
          startedAt: now,
          endedAt: now,
        });
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => answer(new URLSearchParams(body), response));
  });

  function answer(form: URLSearchParams, response: ServerResponse): void {
    const action = form.get('Action') ?? '';
    const fault = fake.fault?.(action);
    try {
      if (fault === 'stop') return void response.destroy();
      if (typeof fault === 'object') throw new Refused(fault.code, fault.message, fault.status);
      const result = perform(action, form);
      if (fault === 'lose') return void response.destroy();
      response
        .writeHead(200, { 'content-type': 'text/xml' })
        .end(
          `<${action}Response xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><${action}Result>${result}</${action}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></${action}Response>`,
        );
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      response
        .writeHead(error.status, { 'content-type': 'text/xml' })
        .end(
          `<ErrorResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><Error><Type>Sender</Type><Code>${error.code}</Code><Message>${error.message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
        );
    }
  }

  function perform(action: string, form: URLSearchParams): string {
    const { group } = fake;
    switch (action) {
      case 'DescribeAutoScalingGroups': {
        if (form.get('AutoScalingGroupNames.member.1') !== GROUP) return '<AutoScalingGroups/>';
        const members = [...fake.instances].map(
          ([id, state]) =>
            `<member><InstanceId>${id}</InstanceId><AvailabilityZone>us-east-1a</AvailabilityZone><LifecycleState>${state}</LifecycleState><HealthStatus>Healthy</HealthStatus><ProtectedFromScaleIn>true</ProtectedFromScaleIn></member>`,
        );
        const processes = [
          ['AZRebalance', 'User suspended at 2026-11-23T10:00:00Z'],
          ...(fake.suspended === undefined ? [] : [['Launch', fake.suspended]]),
        ].map(
          ([name, reason]) =>
            `<member><ProcessName>${name}</ProcessName><SuspensionReason>${reason}</SuspensionReason></member>`,
        );
        const policy =
          group.onDemandBase === undefined
            ? ''
            : `<MixedInstancesPolicy><InstancesDistribution><OnDemandAllocationStrategy>prioritized</OnDemandAllocationStrategy><OnDemandBaseCapacity>${group.onDemandBase}</OnDemandBaseCapacity><OnDemandPercentageAboveBaseCapacity>0</OnDemandPercentageAboveBaseCapacity></InstancesDistribution></MixedInstancesPolicy>`;
        return `<AutoScalingGroups><member><AutoScalingGroupName>${GROUP}</AutoScalingGroupName><MinSize>${group.min}</MinSize><MaxSize>${group.max}</MaxSize><DesiredCapacity>${group.desired}</DesiredCapacity><DefaultCooldown>300</DefaultCooldown>${policy}<AvailabilityZones/><HealthCheckType>EC2</HealthCheckType><CreatedTime>2026-11-23T10:00:00Z</CreatedTime><SuspendedProcesses>${processes.join('')}</SuspendedProcesses><Instances>${members.join('')}</Instances></member></AutoScalingGroups>`;
      }
      case 'DescribeScalingActivities': {
        const members = fake.activities.map(
          (one) =>
            `<member><ActivityId>a</ActivityId><AutoScalingGroupName>${GROUP}</AutoScalingGroupName><Description>${one.description}</Description><Cause>a user request</Cause><StartTime>${new Date(one.startedAt).toISOString()}</StartTime>${one.endedAt === undefined ? '' : `<EndTime>${new Date(one.endedAt).toISOString()}</EndTime>`}<StatusCode>${one.status}</StatusCode>${one.message && `<StatusMessage>${one.message}</StatusMessage>`}<Progress>100</Progress></member>`,
        );
        return `<Activities>${members.join('')}</Activities>`;
      }
      case 'SetDesiredCapacity': {
        const desired = Number(form.get('DesiredCapacity'));
        if (desired > group.max)
          throw new Refused(
            'ValidationError',
            `New SetDesiredCapacity value ${desired} is above max value ${group.max} for the AutoScalingGroup.`,
          );
        if (desired < group.min)
          throw new Refused(
            'ValidationError',
            `New SetDesiredCapacity value ${desired} is below min value ${group.min} for the AutoScalingGroup.`,
          );
        fake.calls.push(`SetDesiredCapacity ${desired}`);
        group.desired = desired;
        return '';
      }
      case 'UpdateAutoScalingGroup': {
        const of = 'MixedInstancesPolicy.InstancesDistribution.';
        group.onDemandBase = Number(form.get(`${of}OnDemandBaseCapacity`));
        const above = form.get(`${of}OnDemandPercentageAboveBaseCapacity`);
        fake.calls.push(`OnDemandBaseCapacity ${group.onDemandBase}, ${above} % above`);
        return '';
      }
      case 'TerminateInstanceInAutoScalingGroup': {
        const id = form.get('InstanceId')!;
        const decrements = form.get('ShouldDecrementDesiredCapacity') === 'true';
        if (!fake.instances.has(id))
          throw new Refused(
            'ValidationError',
            `Instance Id not found - No managed instance found for instance ID: ${id}`,
          );
        if (decrements && group.desired <= group.min)
          throw new Refused(
            'ValidationError',
            `Currently, desiredSize equals minSize (${group.min}). Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.`,
          );
        fake.calls.push(`Terminate ${id}${decrements ? '' : ' and replace'}`);
        if (decrements) group.desired -= 1;
        fake.instances.set(id, 'Terminating');
        return '<Activity><ActivityId>a</ActivityId><StatusCode>InProgress</StatusCode></Activity>';
      }
      default:
        throw new Refused('InvalidAction', `There is no ${action} here`);
    }
  }

  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fake;
}
