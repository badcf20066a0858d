// What each test of a command has to itself: a folder that is its home, the programs that it starts and the servers that they
// ask. All end with the test, and the folder goes.

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach } from 'vitest';
import { build, type Program, startProgram } from '../support/program.ts';

/** Called in a test file's body, before its own `beforeEach`; `more` settings are made for each test. */
export function ownFolder(name: string, more: (folder: string) => Record<string, string> = () => ({})) {
  let folder: string;
  let started: Program[];
  let servers: Server[];
  beforeAll(() => build(), 120_000);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), `${name}-`));
    started = [];
    servers = [];
  });
  afterEach(async () => {
    for (const program of started) program.stop();
    await Promise.all(started.map(({ ended }) => ended));
    for (const server of servers) server.close().closeAllConnections();
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  });

  /** Of a program that has nothing of this machine. */
  const settings = (): Record<string, string> => ({
    PATH: process.env['PATH']!,
    HOME: folder,
    WORKSPACE_PATH: join(folder, 'workspace'),
    COMFYUI_MODE: 'simulated',
    SIMULATED_STEP_MS: '5',
    ...more(folder),
  });
  function endsWithTest<P extends Program>(program: P): P {
    started.push(program);
    return program;
  }

  return {
    folder: () => folder,
    settings,
    endsWithTest,
    async startApi(env: Record<string, string> = {}): Promise<{ url: string; program: Program }> {
      const program = endsWithTest(startProgram('local', { ...settings(), API_PORT: '0', ...env }));
      const [, url] = await program.until(/REST API\s+(http:\S+)[^]*Stop: Ctrl-C/);
      return { url: url!, program };
    },
    /** Answers as `upstream`, but for what `change` answers itself: nothing, or JSON with other fields. */
    startProxy: (
      upstream: string,
      change: (method: string, path: string) => 'lost' | object | undefined,
    ): Promise<string> =>
      serve((req, res) => {
        void (async () => {
          const chunks: Uint8Array[] = [];
          for await (const chunk of req) chunks.push(chunk as Uint8Array);
          const passed = ['content-type', 'idempotency-key'].flatMap((header) => {
            const value = req.headers[header];
            return value === undefined ? [] : [[header, String(value)]];
          });
          const answer = await fetch(upstream + req.url, {
            method: req.method!,
            headers: Object.fromEntries(passed) as Record<string, string>,
            ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
          });
          const bytes = Buffer.from(await answer.arrayBuffer());
          const changed = change(req.method!, req.url!);
          if (changed === 'lost') return res.destroy();
          const json = changed && { ...(JSON.parse(bytes.toString()) as object), ...changed };
          return res.writeHead(answer.status).end(json ? JSON.stringify(json) : bytes);
        })();
      }),
    serve,
  };

  /** Returns its address. */
  async function serve(answer: RequestListener): Promise<string> {
    const server = createServer(answer);
    servers.push(server);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
}
