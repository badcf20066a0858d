// The simulated ComfyUI as a process that a chaos run commands over IPC: faults are switched, and each prompt is told
// of as it comes and goes. A prompt of the poisonous width takes the whole process down while it runs.

import { type FaultSwitches, startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { POISON_WIDTH } from './poison.ts';

export interface ComfyUICommand {
  set?: Partial<FaultSwitches>;
  forget?: boolean;
  /** As by the button on ComfyUI's page: whatever runs. */
  interrupt?: boolean;
}

export interface ComfyUIReport {
  event: 'queued' | 'started' | 'ended';
  promptId: string;
  at: number;
  success?: boolean;
}

const POISON_WORKS_AFTER = 350;

const { PORT, DIRECTORY } = process.env;
const tell = (report: Omit<ComfyUIReport, 'at'>) => void process.send?.({ ...report, at: Date.now() });

const simulated = await startSimulatedComfyUI({
  stepMs: 0,
  port: Number(PORT ?? 0),
  directory: DIRECTORY,
  watcher: {
    queued: (item) => tell({ event: 'queued', promptId: item[1] }),
    started: (item) => {
      tell({ event: 'started', promptId: item[1] });
      const poisonous = Object.values(item[2]).some(({ inputs }) => inputs['width'] === POISON_WIDTH);
      if (poisonous) setTimeout(() => process.exit(137), POISON_WORKS_AFTER);
    },
    ended: (item, entry) =>
      tell({ event: 'ended', promptId: item[1], success: entry.status.status_str === 'success' }),
  },
});

process.on('message', ({ set, forget, interrupt }: ComfyUICommand) => {
  if (set) Object.assign(simulated.faults, set);
  if (forget) simulated.faults.forget();
  if (interrupt) void fetch(`${simulated.url}/interrupt`, { method: 'POST' }).catch(() => undefined);
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => undefined);
process.on('SIGINT', () => undefined);
process.send?.({ url: simulated.url });
