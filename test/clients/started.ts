// `npm start` with ComfyUI's wire, as clients that were written for ComfyUI find it.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { freePort } from '../support/free-port.ts';
import { build, startProgram } from '../support/program.ts';

export interface Started {
  /** Of the wire. */
  url: string;
  port: number;
  /** An empty folder, for what a client leaves. */
  folder: string;
  close(): Promise<void>;
}

export async function startWithWire(): Promise<Started> {
  await build();
  const folder = await mkdtemp(join(tmpdir(), 'clients-'));
  const comfyui = await startSimulatedComfyUI({ stepMs: 25 });
  const port = await freePort();
  const program = startProgram('local', {
    WORKSPACE_PATH: join(folder, 'workspace'),
    API_PORT: '0',
    COMFYUI_API_PORT: String(port),
    COMFYUI_HOST: '127.0.0.1',
    COMFYUI_PORT: String(comfyui.port),
  });
  await program.until(/Stop: Ctrl-C/);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    folder,
    async close() {
      program.signal('SIGTERM');
      await program.ended;
      await comfyui.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
