// A host that starts: it claims once it has run one small step of its own, and says until then that it starts.

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createComfyUI } from '../../functions/comfyui/client.ts';
import { graphsWithoutFiles, leastOf } from '../../functions/core/least-work.ts';
import type { Graph } from '../../functions/core/object-info.ts';
import { TIMINGS } from '../../functions/core/timings.ts';
import { loadTemplates } from '../../functions/runtime/workflows.ts';
import type { SimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { filesIn } from '../support/files-in.ts';
import { type Rig, startRig, type TestHost } from '../support/rig.ts';

vi.setConfig({ testTimeout: 30_000 });

let rig: Rig;
let lines: string[];
let directory: string;
beforeEach(async () => {
  lines = [];
  directory = await mkdtemp(join(tmpdir(), 'warm-up-'));
  rig = await startRig({ workflows: 'test/workflows', onLog: (line) => lines.push(line) });
});
afterEach(async () => {
  await rig.close();
  await rm(directory, { recursive: true, force: true });
});

const slow = (ms: number): Graph => ({
  '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
  '2': { class_type: 'LabSlowImage', inputs: { image: ['1', 0], ms, seed: 0 } },
  '3': { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'Slow' } },
});
const heartbeatOf = async ({ running }: TestHost) => (await rig.store.hosts.read(running.hostId))!;
const historyOf = async (url: string) => (await (await fetch(`${url}/history`)).json()) as object;
/** Its item is told every five seconds, and at once when it takes jobs. */
async function says(host: TestHost, trouble: string): Promise<void> {
  await expect.poll(async () => (await heartbeatOf(host)).trouble, { timeout: 8000 }).toBe(trouble);
}
async function takesJobs(host: TestHost): Promise<void> {
  await expect.poll(async () => (await heartbeatOf(host)).comfyui, { timeout: 15_000 }).toBe(true);
}
const posted = ({ comfyui }: TestHost) =>
  comfyui.requests.filter(({ method, path }) => method === 'POST' && path === '/prompt').length;

test('the least of a graph is one step of one small image, by the same models', async () => {
  const templates = await loadTemplates();
  const { graph } = templates.get('flux2_turbo_upscale')!;
  const least = leastOf(graph);
  const inputs = (id: string) => least[id]!.inputs;
  expect(inputs('7')).toEqual({ width: 256, height: 256, batch_size: 1 });
  expect([inputs('8')['steps'], inputs('14')['steps'], inputs('12')['scale_by']]).toEqual([1, 1, 1]);
  for (const id of ['1', '2', '3', '4', '9']) expect(least[id]).toEqual(graph[id]);
  expect(graph['7']!.inputs['width']).toBe(1024);
  expect(graphsWithoutFiles(templates)[0]).toBe(templates.get('flux2_turbo_default')!.graph);
  expect(graphsWithoutFiles(templates)).toHaveLength(2);
});

test('a host runs the least of the first job before it claims that, and nothing is left of it', async () => {
  const jobId = await rig.generate({ workflow: 'slow', ms: 0 });
  let path = '';
  const host = await rig.addHost({ comfyui: { directory }, comfyuiPath: directory, warmUp: { graphs: [] } });
  path = dirname(host.comfyui.outputDirectory);
  expect(path).toBe(directory);
  const comfyui = createComfyUI(host.comfyui.url);
  await rig.until(jobId, ['completed']);
  expect(posted(host)).toBe(2);
  // The heartbeat may have been written while the job ran: the next one holds none.
  await expect.poll(() => heartbeatOf(host), { timeout: 15_000 }).toMatchObject({ comfyui: true, held: 0 });
  expect((await rig.store.jobs.readState(jobId))!.attempt).toBe(1);
  await expect.poll(() => filesIn(join(directory, 'output'))).toEqual([]);
  const { running, pending } = await comfyui.queue();
  expect([...running, ...pending]).toEqual([]);
  await expect.poll(() => historyOf(host.comfyui.url)).toEqual({});
});

test('until then it says that it starts, and is offered nothing', async () => {
  const host = await rig.addHost({ warmUp: { graphs: [slow(6000)] } });
  await says(host, 'comfyui_starting: it runs one small step before its first job');
  expect((await heartbeatOf(host)).comfyui).toBe(false);
  const jobId = await rig.generate({ workflow: 'slow', ms: 0 });
  expect(await rig.store.jobs.readState(jobId)).toMatchObject({ status: 'queued', attempt: 0 });
  expect(host.running.idleFor()).toBe(0);
  await takesJobs(host);
  expect((await heartbeatOf(host)).trouble).toBeUndefined();
  await rig.until(jobId, ['completed']);
});

test('a warm-up that ComfyUI refuses is said, and jobs are taken', async () => {
  const refused: Graph = { '1': { class_type: 'SaveImage', inputs: { filename_prefix: 'no image' } } };
  const host = await rig.addHost({ warmUp: { graphs: [refused] } });
  await takesJobs(host);
  await rig.until(await rig.generate({ workflow: 'slow', ms: 0 }), ['completed']);
  expect(posted(host)).toBe(2);
  expect(lines.filter((line) => line.includes('warm_up.failed'))).toEqual([
    expect.stringContaining('ComfyUI refused it: '),
  ]);
});

test('a warm-up that hangs is broken off after its time, and jobs are taken', async () => {
  const host = await rig.addHost({ warmUp: { graphs: [slow(600_000)], limit: 300 } });
  await takesJobs(host);
  await rig.until(await rig.generate({ workflow: 'slow', ms: 0 }), ['completed'], 20_000);
  expect(lines.join('')).toContain('it had not ended after 0 s');
});

test('a ComfyUI that forgets its warm-up is not waited for', async () => {
  const host = await rig.addHost({ warmUp: { graphs: [slow(600_000)] } });
  await expect.poll(() => posted(host), { timeout: 5000 }).toBe(1);
  host.comfyui.faults.forget();
  await takesJobs(host);
  expect(lines.join('')).toContain('ComfyUI restarted or forgot it');
});

test('while models come a job is taken as soon as it can run', async () => {
  const modelsReady = join(directory, 'models.ready');
  const host = await rig.addHost({ modelsReady, warmUp: { graphs: [slow(0)] } });
  await says(host, 'comfyui_starting: its models are still coming');
  expect(posted(host)).toBe(0);
  // It needs none: it need not wait for the others.
  await rig.until(await rig.generate({ workflow: 'slow', ms: 0 }), ['completed']);
  expect(posted(host)).toBe(2);
});

test('where no job waits, all models are waited for', async () => {
  const modelsReady = join(directory, 'models.ready');
  const host = await rig.addHost({ modelsReady });
  await says(host, 'comfyui_starting: its models are still coming');
  await writeFile(modelsReady, '');
  await takesJobs(host);
  expect(posted(host)).toBe(0);
});

test('when the last model has come, ComfyUI is asked at once what it has', async () => {
  await rig.close();
  // The next heartbeat comes after the end of this test.
  const timings = { ...TIMINGS, heartbeatEvery: 600_000, hostDeadAfter: 3_600_000 };
  rig = await startRig({ workflows: 'test/workflows', timings });
  const modelsReady = join(directory, 'models.ready');
  const host = await rig.addHost({ modelsReady, warmUp: { graphs: [slow(0)] } });
  const listed = () => host.comfyui.requests.filter(({ path }) => path.startsWith('/object_info')).length;
  await expect.poll(listed).toBe(1);
  await writeFile(modelsReady, '');
  await expect.poll(listed, { timeout: 5000 }).toBe(2);
  await takesJobs(host);
});

/** Of a real ComfyUI that runs the shipped templates; COMFYUI_PATH is its folder. */
const { COMFYUI: real = '', COMFYUI_PATH: folder = '' } = process.env;
test.skipIf(real === '')(`a real ComfyUI${real ? '' : ' (skipped: no COMFYUI)'}`, async () => {
  const graphs = graphsWithoutFiles(await loadTemplates());
  const comfyui = createComfyUI(real);
  const host = await rig.addHost({
    comfyui: { url: real } as unknown as SimulatedComfyUI,
    comfyuiPath: folder,
    warmUp: { graphs },
  });
  const since = Date.now();
  await takesJobs(host);
  console.log(`a real ComfyUI was warmed up within ${Date.now() - since} ms`);
  expect(lines.join('')).not.toContain('warm_up.failed');
  await expect.poll(() => readdir(join(folder, 'output')), { timeout: 5000 }).toEqual([]);
  await expect.poll(() => historyOf(real), { timeout: 5000 }).toEqual({});
  expect(await comfyui.queue()).toEqual({ running: [], pending: [] });
});
