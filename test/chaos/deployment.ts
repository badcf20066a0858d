// The product as it runs on AWS, on one machine: each service in processes of its own, several of each, and between them
// proxies of the harness. Starts everything and ends everything.

import { mkdir, mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Images } from '../../functions/images/images.ts';
import { createS3Images } from '../../functions/images/s3/images.ts';
import { createS3Client } from '../../functions/images/s3/client.ts';
import { createStoreClient } from '../../functions/store/dynamodb/client.ts';
import { createTables } from '../../functions/store/dynamodb/create-tables.ts';
import type { Bundles, ProgramName } from './build.ts';
import type { ComfyUIReport } from './comfyui.ts';
import { goesAtExit } from './folders.ts';
import { Ledger } from './ledger.ts';
import { APIS, FORWARDERS, HOSTS, type Plan } from './plan.ts';
import { createProcess, type Process, type ProcessOptions } from './processes.ts';
import type { Proxy } from './proxy.ts';
import { SCALED, SCALED_TIMINGS } from './scaled.ts';
import { type Starvation, watchStarvation } from './starvation.ts';
import { bucketProxy, intakeProxy } from './small-proxies.ts';
import { type TableProxy, tableProxy } from './table-proxy.ts';
import { createTroubles, type Troubles } from './troubles.ts';

export interface Deployment {
  directory: string;
  processes: Map<string, Process>;
  ledger: Ledger;
  troubles: Troubles;
  table: TableProxy;
  /** The bucket past the faults. */
  images(): Images;
  /** Of an API that may be down. */
  apiUrl(index: number): string;
  /** A second host process on a host's machine; resolves with whether it came up. */
  intrude(host: string): Promise<boolean>;
  starvation: Starvation;
  close(): Promise<void>;
}

const CREDENTIALS = { accessKeyId: 'chaos', secretAccessKey: 'chaos-secret' };
const REGION = 'local';

export async function startDeployment(bundles: Bundles, plan: Plan, workflows: string): Promise<Deployment> {
  const directory = await mkdtemp(join(tmpdir(), 'chaos-'));
  const remove = process.env['CHAOS_KEEP'] ? undefined : goesAtExit(directory);
  const processes = new Map<string, Process>();
  const ports = new Map<string, number>();
  const troubles = createTroubles(Date.now);
  const starvation = watchStarvation(() =>
    [...processes.values()].flatMap(({ pid }) => (pid === undefined ? [] : [pid])),
  );
  const ledger = new Ledger(starvation);
  const proxies: Proxy[] = [];
  const runs = new Map<string, number>();
  const portOf = (name: string) => ports.get(name) ?? 1;

  const storage = (name: string) => {
    const run = (runs.get(name) ?? 0) + 1;
    runs.set(name, run);
    return {
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${table.port}/${name}.${run}`,
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${bucket.port}`,
      DEBUG: process.env['CHAOS_DEBUG'] ? 'true' : 'false',
      TEST_TIMINGS: JSON.stringify(SCALED_TIMINGS),
    };
  };

  function add(
    program: ProgramName,
    name: string,
    env: ProcessOptions['env'],
    more: Partial<ProcessOptions> = {},
  ): Process {
    const one = createProcess({
      name,
      module: bundles.of(program),
      env,
      log: join(directory, `${name}.log`),
      onReady(ready) {
        const port =
          ready['port'] ?? (typeof ready['url'] === 'string' ? new URL(ready['url']).port : undefined);
        if (port !== undefined) ports.set(name, Number(port));
      },
      ...more,
    });
    processes.set(name, one);
    return one;
  }

  const table = await tableProxy(() => portOf('dynamodb'), troubles, ledger);
  const bucket = await bucketProxy(
    () => portOf('s3'),
    troubles,
    (put) => ledger.stored(put),
  );
  proxies.push(table, bucket);

  add('dynamodb', 'dynamodb', () => ({
    DIRECTORY: join(directory, 'dynamodb'),
    PORT: '0',
  }));
  add('s3', 's3', () => ({
    DIRECTORY: join(directory, 's3'),
    BUCKET: 'images',
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  }));
  const fixed = await freePorts(HOSTS + FORWARDERS);
  const hostEnv = new Map<string, () => Record<string, string>>();
  const hostArgs = new Map<string, string[]>();
  for (let index = 0; index < HOSTS; index += 1) {
    const name = `host${index}`;
    const comfyuiPort = String(fixed[index]!);
    const machine = join(directory, name);
    await mkdir(machine);
    add('comfyui', `comfyui${index}`, () => ({ PORT: comfyuiPort, DIRECTORY: join(machine, 'comfyui') }), {
      onMessage: (message) => hear(ledger, message as unknown as ComfyUIReport),
    });
    const intake = await intakeProxy(name, () => portOf(name), troubles);
    proxies.push(intake);
    const env = () => ({
      ...storage(name),
      COMFYUI_PORT: comfyuiPort,
      INTAKE_PORT: '0',
      INTAKE_URL: `http://127.0.0.1:${intake.port}`,
      WORKSPACE_PATH: machine,
    });
    const offset = plan.clocks.find(({ host }) => host === index)?.offset ?? 0;
    hostEnv.set(name, env);
    hostArgs.set(name, offset === 0 ? [] : ['--import', skewed(offset)]);
    add('host', name, env, { execArgv: hostArgs.get(name)! });
  }
  for (let index = 0; index < FORWARDERS; index += 1) {
    const name = `forwarder${index}`;
    add('forwarder', name, () => ({ ...storage(name), FORWARDER_PORT: String(fixed[HOSTS + index]!) }));
  }
  for (let index = 0; index < APIS; index += 1) {
    const name = `api${index}`;
    add('api', name, () => ({
      ...storage(name),
      API_PORT: '0',
      WORKFLOWS_PATH: workflows,
      FORWARDER_URL: `http://127.0.0.1:${fixed[HOSTS + (index % FORWARDERS)]!}`,
    }));
  }
  add('controller', 'controller', () => ({
    ...storage('controller'),
    SWEEP_EVERY_MS: String(SCALED.sweepEvery),
    // Every other seed has its queue under as many keys as hosts, more and less as they come and go.
    HOSTS_PER_SHARD: plan.seed % 2 === 0 ? '1' : '1000',
    FORWARDER_URL: `http://127.0.0.1:${fixed[HOSTS]!}`,
  }));

  async function close(): Promise<void> {
    starvation.close();
    await Promise.all([...processes.values()].map((one) => one.retire()));
    for (const proxy of proxies) await proxy.close();
    await remove?.();
  }

  try {
    await Promise.all([processes.get('dynamodb')!.start(), processes.get('s3')!.start()]);
    const store = createStoreClient({
      endpoint: `http://127.0.0.1:${portOf('dynamodb')}`,
      region: REGION,
      credentials: CREDENTIALS,
    });
    await createTables(store, '');
    store.raw.destroy();
    await Promise.all([...processes.values()].map((one) => one.start()));
  } catch (error) {
    await close();
    throw error;
  }

  return {
    directory,
    processes,
    ledger,
    troubles,
    starvation,
    table,
    images: () =>
      createS3Images({
        client: createS3Client({
          endpoint: `http://127.0.0.1:${portOf('s3')}`,
          region: REGION,
          credentials: CREDENTIALS,
        }),
        bucket: 'images',
      }),
    apiUrl: (index) => `http://127.0.0.1:${portOf(`api${index}`)}`,
    async intrude(host) {
      const env = hostEnv.get(host)!;
      let up = false;
      const intruder = createProcess({
        name: `${host} again`,
        module: bundles.of('host'),
        env,
        execArgv: hostArgs.get(host)!,
        log: join(directory, `${host}.log`),
        onReady: () => {
          up = true;
        },
      });
      const from = Date.now();
      void intruder.start();
      const giveUp = Date.now() + 4000;
      while (!up && intruder.exits.length === 0 && Date.now() < giveUp)
        await new Promise((resolve) => setTimeout(resolve, 30));
      // Where it came up it also goes on for a while, as nobody would notice.
      if (up) await new Promise((resolve) => setTimeout(resolve, 1500));
      await intruder.end('SIGKILL');
      // The lock of a host that died meanwhile is free for anybody.
      return up && !processes.get(host)!.exits.some(({ at }) => at >= from);
    },
    close,
  };
}

function hear(ledger: Ledger, { event, promptId, success, at }: ComfyUIReport): void {
  if (event === 'queued') ledger.posted(promptId);
  if (event === 'ended' && success === true) ledger.succeeded.set(promptId, at);
}

/** A module that sets the process's clock off, and says nothing. */
function skewed(offset: number): string {
  const code = `
    const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...given) { super(...(given.length > 0 ? given : [Real.now() + ${offset}])); }
      static now() { return Real.now() + ${offset}; }
    };`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

/** Below the range from which the system gives ports away: what is down for a while finds its own again. */
async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  for (let port = 20_000 + Math.floor(Math.random() * 10_000); found.length < count; port += 1) {
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer();
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) found.push(port);
  }
  return found;
}
