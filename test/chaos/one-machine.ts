// The local stack as one process on the embedded engine, beside a ComfyUI of the test's, with a way into its lmdb
// (dying/lmdb.mjs); and calls to it that may get no answer.

import { join } from 'node:path';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { type Program, startCommand } from '../support/program.ts';

const BODY = { prompt: 'a red fox', width: 256, height: 256, steps: 2 };

export function startStack(
  workspace: string,
  comfyuiPort: number,
  env: Record<string, string> = {},
): Program {
  const preload = join(packageRoot(), 'test/chaos/dying/register.mjs');
  return startCommand(process.execPath, ['--import', preload, join(packageRoot(), '.build/local.mjs')], {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    WORKSPACE_PATH: workspace,
    API_PORT: '0',
    COMFYUI_MODE: 'real',
    COMFYUI_HOST: '127.0.0.1',
    COMFYUI_PORT: String(comfyuiPort),
    ...env,
  });
}

export async function urlOf(program: Program): Promise<string> {
  return (await program.until(/REST API\s+(http:\S+)[^]*Stop: Ctrl-C/))[1]!;
}

export interface Answer {
  status: number;
  json: Record<string, unknown>;
}

/** @returns undefined: no answer came */
export async function call(url: string, init: RequestInit = {}): Promise<Answer | undefined> {
  try {
    const response = await fetch(url, init);
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  } catch {
    return undefined;
  }
}

/** A new job, or the one that has this key. */
export const generate = (url: string, key: string, headers: Record<string, string> = {}) =>
  call(`${url}/api/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key, ...headers },
    body: JSON.stringify(BODY),
  });
