// `npm start` with ComfyUI's wire on a simulated ComfyUI, to be killed and started again.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { freePort } from './free-port.ts';
import { build, type Program, startProgram } from './program.ts';

export interface WithWire {
  /** Of the wire. */
  url: string;
  /** Of the wire below the API, without its socket. */
  polledUrl: string;
  port: number;
  comfyui: SimulatedComfyUI;
  /** For what a client leaves; the workspace is in it. */
  folder: string;
  /** Resolves when it is up. */
  start(): Promise<Program>;
  close(): Promise<void>;
}

/** @param env settings beside these */
export async function withWire(stepMs: number, env: Record<string, string> = {}): Promise<WithWire> {
  await build();
  const folder = await mkdtemp(join(tmpdir(), 'with-wire-'));
  const comfyui = await startSimulatedComfyUI({ stepMs });
  const [port, apiPort] = [await freePort(), await freePort()];
  const started: Program[] = [];
  return {
    url: `http://127.0.0.1:${port}`,
    polledUrl: `http://127.0.0.1:${apiPort}/comfyui`,
    port,
    comfyui,
    folder,
    async start() {
      const program = startProgram('local', {
        WORKSPACE_PATH: join(folder, 'workspace'),
        API_PORT: String(apiPort),
        COMFYUI_API_PORT: String(port),
        COMFYUI_API_POLLED: 'true',
        COMFYUI_HOST: '127.0.0.1',
        COMFYUI_PORT: String(comfyui.port),
        ...env,
      });
      started.push(program);
      await program.until(/Stop: Ctrl-C/);
      return program;
    },
    async close() {
      for (const program of started) program.signal('SIGKILL');
      await Promise.all(started.map(({ ended }) => ended));
      await comfyui.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
