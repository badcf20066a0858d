// GET /metrics as Prometheus' own parsers read it (PyPI's prometheus-client): the text format, what each number is, and names that
// hold whatever callers are called.

import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TIMINGS } from '../../functions/core/timings.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { eventually, putJobs } from './support.ts';

const PARSE = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
print(json.dumps([
    {"name": f.name, "type": f.type, "samples": [[s.name, s.labels, s.value] for s in f.samples]}
    for f in text_string_to_metric_families(sys.stdin.read())]))
`;

function absent(): string | undefined {
  try {
    execFileSync('python3', ['-c', 'import prometheus_client'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return ' (skipped: python3 with prometheus-client is missing)';
  }
}
const lacks = absent();

interface Family {
  name: string;
  type: string;
  samples: [string, Record<string, string>, number][];
}

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ timings: { ...TIMINGS, ledgerPutEvery: 20 } });
});
afterAll(() => rig.close());

async function families(): Promise<Map<string, Family>> {
  const answer = await rig.app.request('/metrics');
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const out = execFileSync('python3', ['-c', PARSE], { input: await answer.text(), encoding: 'utf8' });
  return new Map((JSON.parse(out) as Family[]).map((family) => [family.name, family]));
}

test.skipIf(lacks)(`its numbers are those of the jobs, hosts and requests${lacks ?? ''}`, async () => {
  await rig.addHost();
  const jobId = await rig.generate();
  await rig.until(jobId, ['completed']);
  const found = await eventually('the completed job', async () => {
    const all = await families();
    const ended = all.get('comfyui_jobs_ended')?.samples.find(([, { outcome }]) => outcome === 'completed');
    return ended?.[2] === 1 && all;
  });
  const types = new Map([...found].map(([name, { type }]) => [name, type]));
  expect(types.get('comfyui_jobs_ended')).toBe('counter');
  expect(types.get('comfyui_job_wait_seconds')).toBe('histogram');
  expect(types.get('comfyui_hosts')).toBe('gauge');
  const wait = found.get('comfyui_job_wait_seconds')!.samples;
  const buckets = wait.filter(([name]) => name.endsWith('_bucket'));
  expect(buckets.at(-1)).toEqual(['comfyui_job_wait_seconds_bucket', { le: '+Inf' }, 1]);
  expect(buckets.map(([, , value]) => value)).toEqual(
    buckets.map(([, , value]) => value).toSorted((a, b) => a - b),
  );
  expect(wait.find(([name]) => name.endsWith('_count'))?.[2]).toBe(1);
  const requests = found.get('comfyui_http_requests')!.samples;
  expect(requests.map(([, labels]) => labels)).toContainEqual({
    method: 'GET',
    route: '/api/status/:id',
    status: '200',
  });
  expect(found.get('comfyui_hosts')!.samples).toContainEqual(['comfyui_hosts', { state: 'ready' }, 1]);
  expect(found.get('process_resident_memory_bytes')!.samples[0]![2]).toBeGreaterThan(1e6);
});

test.skipIf(lacks)(
  `an owner’s name is a label, and addresses that are not there are one${lacks ?? ''}`,
  async () => {
    await putJobs(rig, [{ owner: 'ann@example.com', status: 'queued' }]);
    for (const path of ['/nothing/1', '/nothing/2', '/api/nothing']) await rig.app.request(path);
    const found = await eventually('the owner', async () => {
      const all = await families();
      return (
        all.get('comfyui_owner_jobs')!.samples.some(([, { owner }]) => owner === 'ann@example.com') && all
      );
    });
    const lost = found.get('comfyui_http_requests')!.samples.filter(([, { status }]) => status === '404');
    expect(lost.map(([, { route }, value]) => [route, value])).toEqual([['other', 3]]);
  },
);
