// Owns who is compared: the simulated ComfyUI in both versions, or a real one, whose address COMFYUI holds.
import { startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { ask } from './client.ts';
import type { Version } from './traces.ts';

const real = process.env['COMFYUI'] || undefined;
export const isReal = real !== undefined;

export const versions: Version[] = real === undefined ? ['0.33', '0.8'] : [await versionOf(real)];

async function versionOf(url: string): Promise<Version> {
  const [, stats] = await ask(url, 'GET', '/system_stats');
  const { comfyui_version: version } = (stats as { system: { comfyui_version: string } }).system;
  return version.startsWith('0.8.') ? '0.8' : '0.33';
}

export interface Subject {
  url: string;
  close(): Promise<void>;
}

export async function startSubject(version: Version): Promise<Subject> {
  if (real === undefined) return startSimulatedComfyUI({ stepMs: 20, version });
  // Nothing cached, as after a start.
  await ask(real, 'POST', '/free', { unload_models: true, free_memory: true });
  await ask(real, 'POST', '/history', { clear: true });
  return { url: real, close: () => Promise.resolve() };
}
