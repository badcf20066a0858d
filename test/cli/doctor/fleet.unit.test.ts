// What the doctor makes of what the controller wrote down.

import { expect, test } from 'vitest';
import { controllerFinding, hostsFinding, lastErrorFinding } from '../../../functions/cli/doctor/fleet.ts';
import { type Blocked, type Fleet, UNKNOWN_FLEET } from '../../../functions/core/fleet.ts';
import { hostItem } from '../../support/host-item.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const MINUTE = 60_000;
const where = { name: 'comfyui', region: 'us-east-1', group: 'comfyui-gpu-hosts' };
const fleet = (more: Partial<Fleet> = {}): Fleet => ({ ...UNKNOWN_FLEET, updatedAt: NOW, ...more });

test('a controller that rests is told, one that never worked too', () => {
  expect(controllerFinding(fleet({ updatedAt: NOW - MINUTE }), NOW, where)).toEqual({
    kind: 'ok',
    says: 'its last round was 1 min ago',
  });
  expect(controllerFinding(fleet({ updatedAt: NOW - 6 * MINUTE }), NOW, where)).toEqual({
    kind: 'next',
    says: 'its last round was 6 min ago; one should be made every minute',
    next: 'aws logs tail /comfyui/controller --since 1h --region us-east-1',
  });
  expect(controllerFinding(UNKNOWN_FLEET, NOW, where)).toMatchObject({
    kind: 'next',
    says: 'it has not made a round yet',
  });
});

test('hosts are told by what they do', () => {
  expect(hostsFinding(fleet(), [], NOW, where)).toEqual({
    kind: 'ok',
    says: 'none, which is what sleeps at zero',
  });
  const hosts = [
    hostItem('i-a', NOW),
    hostItem('i-b', NOW, { state: 'draining' }),
    hostItem('i-c', NOW, { comfyui: false }),
    hostItem('i-d', NOW - 5 * MINUTE),
  ];
  const seen = { 'i-a': { firstSeen: 1, upAt: NOW }, 'i-e': { firstSeen: NOW } };
  expect(hostsFinding(fleet({ seen, desired: 2 }), hosts, NOW, where).says).toBe(
    '1 ready, 1 without an answer from ComfyUI, 1 draining, 1 starting',
  );
});

test.each<[Blocked['code'], string]>([
  ['quota', 'quota above'],
  ['free_plan', 'account plan above'],
  [
    'launch_suspended',
    'aws autoscaling resume-processes --region us-east-1 --auto-scaling-group-name comfyui-gpu-hosts --scaling-processes Launch',
  ],
  ['no_capacity', 'instanceTypes to cdk.json, then npm run deploy'],
  ['bad_template', 'npm run deploy'],
  ['raise_refused', 'npm run deploy'],
  ['no_hosts_allowed', 'maxHosts in cdk.json above 0, then npm run deploy'],
  [
    'never_registered',
    'aws autoscaling describe-scaling-activities --region us-east-1 --auto-scaling-group-name comfyui-gpu-hosts --max-items 5, then aws ec2 get-console-output --latest --output text --region us-east-1 --instance-id INSTANCE',
  ],
  [
    'launch_failed',
    'aws autoscaling describe-scaling-activities --region us-east-1 --auto-scaling-group-name comfyui-gpu-hosts --max-items 5',
  ],
])('%s: what to do', (code, command) => {
  expect(hostsFinding(fleet({ blocked: { code, reason: 'so it is', at: NOW } }), [], NOW, where)).toEqual({
    kind: 'next',
    says: expect.stringContaining('so it is') as string,
    next: expect.stringContaining(command) as string,
  });
});

test('an error is told for a day', () => {
  const lastError = { message: 'raise: AccessDenied', at: NOW - 3 * 60 * MINUTE };
  expect(lastErrorFinding(fleet({ lastError }), NOW, where)).toMatchObject({
    kind: 'next',
    says: '3 h ago: raise: AccessDenied',
  });
  expect(lastErrorFinding(fleet({ lastError }), NOW + 24 * 60 * MINUTE, where).kind).toBe('ok');
});
