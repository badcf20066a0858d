// nginx for real, from the file that compose.yaml mounts: filled in by the real envsubst as the official image does it,
// in a folder of its own. Knows nothing of what is behind it.

import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { startCommand } from '../support/program.ts';

export const BOX = join(packageRoot(), 'infra', 'compose');
const TEMPLATE = join(BOX, 'nginx.conf.template');

/** As compose.yaml has it, where the folder is /tmp. */
export const commandIn = (folder: string): string[] => {
  const conf = join(folder, 'nginx.conf');
  return ['nginx', '-e', 'stderr', '-p', folder, '-c', conf, '-g', 'daemon off;'];
};

/** What is missing on this machine, for the name of a skipped suite. */
export function missing(...tools: [name: string, ...args: string[]][]): string | undefined {
  const names = tools.flatMap(([name, ...args]) => {
    try {
      execFileSync(name, args, { stdio: 'ignore' });
      return [];
    } catch {
      return [name];
    }
  });
  return names.length === 0 ? undefined : `(skipped: this machine has no ${names.join(', ')})`;
}

export interface Nginx {
  url: string;
  /** Once `edit` has turned TLS on. */
  tlsUrl: string;
  /** Where ComfyUI's wire is published. */
  wireUrl: string;
  /** What it wrote about requests, so far. */
  log(): Promise<string>;
  close(): Promise<void>;
}

export interface NginxOptions {
  /** host:port, as compose.yaml has them. */
  api: string;
  comfyui: string;
  wire?: string;
  /** What a person would do to the file by hand. */
  edit?: (template: string) => string;
}

export async function startNginx({
  api,
  comfyui,
  wire = api,
  edit = (text) => text,
}: NginxOptions): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'nginx-'));
  // As root, its workers run as somebody else.
  await chmod(folder, 0o755);
  const [port, tlsPort, wirePort, wireTlsPort] = await freePorts(4);
  const values: Record<string, string> = {
    NGINX_LISTEN: `127.0.0.1:${port}`,
    NGINX_LISTEN_TLS: `127.0.0.1:${tlsPort}`,
    NGINX_NAMES: 'localhost 127.0.0.1 [::1]',
    NGINX_API: api,
    NGINX_COMFYUI: comfyui,
    NGINX_LISTEN_WIRE: `127.0.0.1:${wirePort}`,
    NGINX_LISTEN_WIRE_TLS: `127.0.0.1:${wireTlsPort}`,
    NGINX_WIRE: wire,
  };
  const names = Object.keys(values).map((name) => `\${${name}}`);
  const conf = execFileSync('envsubst', [names.join(' ')], {
    input: edit(await readFile(TEMPLATE, 'utf8')),
    env: { PATH: process.env['PATH'], ...values },
  });
  await writeFile(join(folder, 'nginx.conf'), conf);
  // A file for stdout: what Node would give it is a socket, which cannot be opened as /dev/stdout.
  const log = join(folder, 'requests.log');
  const program = startCommand(
    'sh',
    ['-c', 'exec "$@" >"$0"', log, ...commandIn(folder)],
    { PATH: `${process.env['PATH']}:/usr/sbin` },
    folder,
  );
  await program.until(/start worker process \d+/);
  return {
    url: `http://127.0.0.1:${port}`,
    tlsUrl: `https://localhost:${tlsPort}`,
    wireUrl: `http://127.0.0.1:${wirePort}`,
    log: () => readFile(log, 'utf8'),
    async close() {
      program.signal('SIGTERM');
      await program.ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** nginx cannot be asked which port it got. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(
    servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
        }),
    ),
  );
  return ports;
}
