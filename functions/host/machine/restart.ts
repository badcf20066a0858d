// Restarts ComfyUI by the command that a person has set. At most once in five minutes: a command that does not
// help must not keep it from coming up.

import { execFile } from 'node:child_process';
import type { Log } from '../../log.ts';

const AT_MOST_EVERY = 5 * 60_000;
const WITHIN = 60_000;

/** @param command for a shell; undefined: no restart; @param url for it to know by COMFYUI_URL which one. @returns whether it was started now; its result is logged */
export function createRestart(
  command: string | undefined,
  url: string,
  log: Log,
  awake: () => number,
): (reason: string) => boolean {
  let lastAt = -Infinity;
  return (reason) => {
    if (command === undefined || awake() - lastAt < AT_MOST_EVERY) return false;
    lastAt = awake();
    log.warn('comfyui.restart_started', { reason });
    execFile(
      '/bin/sh',
      ['-c', `export COMFYUI_URL="$1"; ${command}`, 'restart', url],
      { timeout: WITHIN, killSignal: 'SIGKILL' },
      (error, _, stderr) => {
        if (error) log.error('comfyui.restart_failed', error, { stderr: stderr.slice(0, 500) });
        else log.warn('comfyui.restarted', { reason });
      },
    );
    return true;
  };
}
