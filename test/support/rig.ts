// The product in one process against real parts: embedded tables, a folder of images, and for each host a simulated ComfyUI.
// A test turns on what it needs; `close` ends everything.

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createReaders } from '../../functions/api/http/readers.ts';
import type { ApiApp, ApiDeps } from '../../functions/api/deps.ts';
import { createComfyUI } from '../../functions/comfyui/client.ts';
import recordedNodes from '../../functions/comfyui/recorded-object-info.json' with { type: 'json' };
import { finishChores } from '../../functions/controller/chores.ts';
import { createWatch } from '../../functions/controller/watch.ts';
import { sweep } from '../../functions/controller/sweep.ts';
import type { Template } from '../../functions/core/template.ts';
import { createLive } from '../../functions/core/live.ts';
import { IMAGE_READERS, UPLOADS_AT_ONCE } from '../../functions/core/limits.ts';
import { TIMINGS, type Timings } from '../../functions/core/timings.ts';
import { createForwarder } from '../../functions/forwarder/forwarder.ts';
import { type HostDeps, type RunningHost, startHost } from '../../functions/host/host.ts';
import { createIntake } from '../../functions/host/claims/intake.ts';
import { type FolderImages, openFolderImages } from '../../functions/images/folder/images.ts';
import { createLinks } from '../../functions/images/folder/links.ts';
import { lazyCodec } from '../../functions/images/codec/lazy.ts';
import { codecProgram } from '../../functions/runtime/codec-program.ts';
import { CONNECTION_LIMITS, listen, listenerOf } from '../../functions/runtime/listen.ts';
import {
  type SimulatedComfyUI,
  type SimulatedComfyUIOptions,
  startSimulatedComfyUI,
} from '../../simulated-comfyui/server.ts';
import { linksBefore } from '../../functions/local/links.ts';
import { isUpload, uploadsBefore } from '../../functions/local/uploads.ts';
import { createLog, type Log } from '../../functions/log.ts';
import { loadTemplates } from '../../functions/runtime/workflows.ts';
import { appsWith, SETTINGS } from './app.ts';
import { startStore, type TestStore } from './store.ts';

export interface TestHost {
  running: RunningHost;
  comfyui: SimulatedComfyUI;
  machineId: string;
  /** Closes the intake; the host goes on polling. */
  closeIntake(): Promise<void>;
}

/** `comfyui`: how the host's own simulated ComfyUI is, or one that is there already (and stays). */
export type HostOptions = Partial<Omit<HostDeps, 'comfyui'>> & {
  comfyui?: SimulatedComfyUIOptions | SimulatedComfyUI;
};

export interface Rig {
  store: TestStore;
  images: FolderImages;
  app: ApiApp;
  /** ComfyUI's wire over the same jobs. */
  wire: ApiApp;
  /** The same on a port, with its sockets. */
  wireUrl: string;
  /** The same app on a port, with presigned reads of the bucket. */
  url: string;
  templates: Map<string, Template>;
  log: Log;
  timings: Timings;
  nudge(): void;
  sweep(): Promise<void>;
  finishChores(): Promise<void>;
  addHost(options?: HostOptions): Promise<TestHost>;
  /** POST /api/generate, of a small image where `body` says nothing else; the job's id. */
  generate(body?: Record<string, unknown>): Promise<string>;
  /** GET /api/status. */
  status(jobId: string): Promise<Record<string, unknown>>;
  /** Resolves when the status is one of these; rejects after `timeout` ms. */
  until(jobId: string, statuses: string[], timeout?: number): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

export interface RigOptions {
  settings?: Partial<ApiDeps['settings']>;
  workflows?: string;
  /** False: the api's nudges go nowhere. */
  forward?: boolean;
  /** Of all its services. */
  timings?: Timings;
  /** Structured lines of every service; silent by default. */
  onLog?: (line: string) => void;
  /** Absent: one of the tier's engine. `close` closes it. */
  store?: TestStore;
  /** Of its server. */
  limits?: Partial<typeof CONNECTION_LIMITS>;
}

export async function startRig({
  settings,
  workflows,
  forward = true,
  timings = TIMINGS,
  onLog,
  store: given,
  limits,
}: RigOptions = {}): Promise<Rig> {
  const store = given ?? (await startStore(timings));
  const directory = await mkdtemp(join(tmpdir(), 'rig-'));
  const readers = createReaders(settings?.imageReaders ?? IMAGE_READERS);
  const log = createLog('test', 'debug', onLog ?? (() => undefined));
  const images = await openFolderImages({ directory, log });
  const links = createLinks({ secret: 'of the rig' });
  const { jobs, hosts, chores, now } = store;
  const forwarder = createForwarder({ jobs, hosts, log, timings, now });
  const nudge = (jobId?: string) => (forward ? forwarder.nudge(jobId) : undefined);
  const templates = await loadTemplates(workflows);
  const codec = lazyCodec(codecProgram());
  const stopping = new AbortController();
  const live = createLive();
  const {
    api: app,
    wire,
    upgrade,
  } = appsWith({
    ...store,
    images,
    servedImages: images,
    // Where links lead to the bucket, they are S3's.
    ...(settings?.links !== 'bucket' && { presigner: links }),
    readers,
    codec,
    workflows: { templates, refused: [] },
    log,
    timings,
    nudge,
    stopping: stopping.signal,
    live,
    recorded: { nodes: recordedNodes, models: {} },
    settings: { ...SETTINGS, ...settings },
  });
  const direct = { links, images, log };
  const uploading = uploadsBefore(listenerOf(app), { ...direct, writers: createReaders(UPLOADS_AT_ONCE) });
  const server = await listen(
    linksBefore(uploading, { ...direct, readers }),
    '127.0.0.1',
    0,
    { ...CONNECTION_LIMITS, ...limits },
    'API',
    isUpload,
  );
  const url = `http://127.0.0.1:${server.port}`;
  const wireServer = await listen(listenerOf(wire), '127.0.0.1', 0);
  wireServer.server.on('upgrade', upgrade);
  const closers: (() => Promise<void>)[] = [];
  /** Of what this workflow takes. */
  const smallImage = (workflow: unknown): Record<string, unknown> => {
    const template = templates.get(typeof workflow === 'string' ? workflow : templates.keys().next().value!);
    const small = { prompt: 'a red fox', steps: 4, width: 256, height: 256 };
    return Object.fromEntries(
      Object.entries(small).filter(([name]) => !template || Object.hasOwn(template.inputs, name)),
    );
  };

  const ledger = store.ledgers.of('controller');
  const rig: Rig = {
    store,
    images,
    app,
    wire,
    wireUrl: `http://127.0.0.1:${wireServer.port}`,
    url,
    templates,
    log,
    timings,
    nudge,
    sweep: async () =>
      void (await sweep({ jobs, hosts, log, timings, now, nudge, watch: createWatch(5000, timings) })),
    finishChores: () => finishChores({ jobs, chores, log, now, ledger }),

    async addHost({ comfyui: given, ...options } = {}) {
      const comfyui = given && 'url' in given ? given : await startSimulatedComfyUI({ stepMs: 5, ...given });
      const machineId = options.machineId ?? randomUUID();
      let running: RunningHost | undefined;
      const intake = await listen(listenerOf(createIntake(() => running, now)), '127.0.0.1', 0);
      running = await startHost({
        jobs,
        hosts,
        spread: store.spread,
        ledgers: store.ledgers,
        images,
        comfyui: createComfyUI(comfyui.url, timings.comfyuiAnswersWithin),
        log,
        timings,
        now,
        machineId,
        url: `http://127.0.0.1:${intake.port}`,
        slots: 2,
        live,
        ...options,
      });
      const host = running;
      closers.push(async () => {
        await host.drain();
        await intake.close();
        if (comfyui !== given) await comfyui.close();
      });
      return { running, comfyui, machineId, closeIntake: () => intake.close() };
    },

    async generate(body = {}) {
      const response = await app.request('/api/generate', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...smallImage(body['workflow']), ...body }),
      });
      const answer = (await response.json()) as { job_id: string };
      if (response.status !== 202) throw new Error(`${response.status}: ${JSON.stringify(answer)}`);
      return answer.job_id;
    },

    async status(jobId) {
      const response = await app.request(`/api/status/${jobId}`);
      return (await response.json()) as Record<string, unknown>;
    },

    async until(jobId, statuses, timeout = 10_000) {
      const giveUp = Date.now() + timeout;
      for (;;) {
        const status = await rig.status(jobId);
        if (statuses.includes(String(status['status']))) return status;
        if (Date.now() > giveUp) throw new Error(`still ${JSON.stringify(status)}`);
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    },

    async close() {
      for (const close of closers) await close();
      stopping.abort();
      await codec.close();
      await Promise.all([server.close(), wireServer.close()]);
      await store.close();
      // A host that has drained may still put what its ComfyUI has.
      await rm(directory, { recursive: true, force: true, maxRetries: 10 });
    },
  };
  return rig;
}
