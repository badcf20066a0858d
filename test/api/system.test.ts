// Routes about the service: workflows, system, health; with one fixed ComfyUI and with a fleet that may sleep.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Rig, startRig, type TestHost } from '../support/rig.ts';
import { anotherProcess, call, eventually, type Json, putJob } from './support.ts';

const MINUTE = 60_000;

describe('workflows', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.close());

  test('are listed by name, the default first', async () => {
    expect(await call(rig.app, 'GET /api/workflows')).toMatchObject({
      status: 200,
      json: {
        workflows: ['flux2_turbo_default', 'flux2_turbo_controlnet', 'flux2_turbo_upscale'],
        titles: { flux2_turbo_controlnet: 'FLUX.2 Turbo, following an image' },
        total: 3,
      },
    });
  });

  test('each says its title, description, presets and inputs as JSON Schema', async () => {
    const { status, json } = await call(rig.app, 'GET /api/workflows/flux2_turbo_default');
    expect(status).toBe(200);
    expect(json).toMatchObject({
      name: 'flux2_turbo_default',
      title: expect.any(String),
      description: expect.any(String),
      presets: { 'rtx-3060': { steps: 20, width: 512 } },
      inputs: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        additionalProperties: false,
        required: ['prompt'],
        properties: {
          prompt: { type: 'string', minLength: 1, maxLength: 10_000 },
          negative_prompt: { type: 'string', default: '' },
          steps: { type: 'integer', default: 25, minimum: 1, maximum: 50 },
          cfg: { type: 'number', default: 3.5, minimum: 0, maximum: 30 },
          width: { type: 'integer', default: 1024, minimum: 256, maximum: 2048, multipleOf: 16 },
          height: { type: 'integer', default: 1024, minimum: 256, maximum: 2048, multipleOf: 16 },
          lora_strength: { type: 'number', default: 1, minimum: 0, maximum: 1 },
          // 2^64 - 1, as JSON.parse reads it.
          seed: { type: 'integer', minimum: 0, maximum: 2 ** 64 },
          sampler: { type: 'string', default: 'euler_ancestral', enum: expect.arrayContaining(['euler']) },
          scheduler: { type: 'string', default: 'karras', enum: expect.arrayContaining(['simple']) },
          batch_size: { type: 'integer', default: 1, minimum: 1, maximum: 8 },
        },
      },
    });
  });

  test('an unknown one is 404', async () => {
    for (const name of ['none', '..%2fpackage', '__proto__', 'flux2_turbo_default.json'])
      expect(await call(rig.app, `GET /api/workflows/${name}`)).toMatchObject({
        status: 404,
        json: { error: 'Workflow not found', code: 'workflow_not_found' },
      });
  });
});

describe('one fixed ComfyUI', () => {
  let rig: Rig;
  let host: TestHost;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.close());
  const health = () => call(rig.app, 'GET /api/health');

  test("that never answered: 503 with the guide's body, and jobs are accepted", async () => {
    expect(await health()).toMatchObject({
      status: 503,
      json: { status: 'unhealthy', error: 'ComfyUI not responding', code: 'comfyui_not_responding' },
    });
    expect(await call(rig.app, 'GET /api/system')).toMatchObject({
      status: 200,
      json: { devices: [], models: {}, hosts: [] },
    });
    await call(rig.app, `DELETE /api/queue/${await rig.generate()}`);
  });

  test('that answers: healthy, with what the guide shows', async () => {
    host = await rig.addHost();
    const { status, json } = await eventually('healthy', async () => {
      const answer = await health();
      return answer.status === 200 && answer;
    });
    const device = { name: expect.any(String), vram: expect.any(Number), vram_free: expect.any(Number) };
    expect([status, json]).toEqual([
      200,
      {
        status: 'healthy',
        comfyui: 'connected',
        output_dir: rig.images.outputDirectory,
        system: { devices: [device], hosts: [expect.any(Object)] },
        simulated: true,
      },
    ]);
  });

  test('system tells devices in MiB, models by folder, and the hosts', async () => {
    const { json } = await call<{
      devices: { vram: number; vram_free: number }[];
      models: Record<string, string[]>;
      hosts: Json[];
    }>(rig.app, 'GET /api/system');
    const stats = (await (await fetch(`${host.comfyui.url}/system_stats`)).json()) as {
      devices: { name: string; vram_total: number }[];
    };
    expect(json.devices).toEqual([
      {
        name: stats.devices[0]!.name,
        vram: Math.round(stats.devices[0]!.vram_total / 1024 / 1024),
        vram_free: expect.any(Number),
      },
    ]);
    expect(json.devices[0]!.vram_free).toBeLessThanOrEqual(json.devices[0]!.vram);
    expect(json.models['diffusion_models']).toContain('flux2_dev_fp8mixed.safetensors');
    expect(json.hosts).toEqual([
      {
        host_id: host.running.hostId,
        state: 'ready',
        comfyui: 'connected',
        comfyui_url: null,
        comfyui_version: expect.any(String),
        trouble: null,
        simulated: true,
        slots: 2,
        held: expect.any(Number),
        seen_at: expect.stringMatching(/Z$/),
        started_at: expect.stringMatching(/Z$/),
      },
    ]);
    expect(JSON.stringify(json)).not.toContain(host.running.intakeSecret);
  });

  test('whose host finds it silent: 503, and jobs wait for it', async () => {
    const silent = await startRig();
    try {
      await silent.store.hosts.put({ ...(await rig.store.hosts.list())[0]!, comfyui: false });
      expect(await call(silent.app, 'GET /api/health')).toMatchObject({
        status: 503,
        json: { status: 'unhealthy', error: 'ComfyUI not responding' },
      });
      const jobId = await silent.generate();
      expect(await silent.status(jobId)).toMatchObject({
        status: 'queued',
        waiting_code: 'comfyui_silent',
      });
    } finally {
      await silent.close();
    }
  });
});

describe('a fleet', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig({ settings: { fixedComfyUI: false } });
  });
  afterAll(() => rig.close());
  /** Of a process that has looked at nothing before. */
  const health = () =>
    call(
      anotherProcess(rig, {
        settings: { links: 'request', allowedOrigins: ['*'], fixedComfyUI: false, maxWaiting: 100 },
      }),
      'GET /api/health',
    );

  test('without hosts and jobs is asleep, and healthy', async () => {
    expect(await health()).toMatchObject({ status: 200, json: { status: 'healthy', comfyui: 'asleep' } });
  });

  test('is waking while a job waits, for 15 minutes; then it is 503', async () => {
    const jobId = await rig.generate();
    expect(await health()).toMatchObject({ status: 200, json: { comfyui: 'waking' } });
    expect((await rig.status(jobId))['waiting_code']).toBe('host_starting');
    const young = await putJob(rig, { createdAt: rig.store.now() - 14.5 * MINUTE });
    expect((await health()).json['comfyui']).toBe('waking');
    const old = await putJob(rig, { createdAt: rig.store.now() - 15 * MINUTE - 1 });
    expect(await health()).toMatchObject({
      status: 503,
      json: { status: 'unhealthy', error: 'ComfyUI not responding' },
    });
    for (const id of [jobId, young, old]) await call(rig.app, `DELETE /api/queue/${id}`);
    expect((await health()).json['comfyui']).toBe('asleep');
  });

  test('with a host is connected, with one that died asleep again', async () => {
    const host = await rig.addHost();
    expect((await health()).json['comfyui']).toBe('connected');
    await host.running.drain();
    const [gone] = await rig.store.hosts.list();
    expect(gone).toBeUndefined();
    expect((await health()).json['comfyui']).toBe('asleep');
  });
});
