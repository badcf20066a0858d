// Cleans up after jobs that have ended: history entries of ComfyUI, and, if its folder is on this machine, outputs, together
// once a second. It never removes a file without our stamp: such a file is a person's, or ComfyUI's cache still refers to it.

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ComfyUI } from '../../comfyui/client.ts';
import { isStamped, outputFolder, stampOf } from '../../core/names.ts';
import type { Log } from '../../log.ts';

export interface Cleanup {
  /** The prompt's history entry may go. */
  ofPrompt(promptId: string): void;
  /** The attempt's output files may go: all that carry its stamp. */
  ofAttempt(jobId: string, attempt: number): void;
  remove(): Promise<void>;
}

interface Stamp {
  stamp: string;
  /** Its folder in ComfyUI's output folder. */
  within: string;
  due: number;
}

/** ComfyUI itself keeps 10,000 entries: the list stays bounded while it is silent. */
const REMEMBERED = 10_000;
/** An interrupted node may still write: the folders are read again after so long, ms. */
const AGAIN_AFTER = 60_000;

/**
 * @param folder ComfyUI's, with `output` and `input` in it; undefined if it is not on this machine
 * @param awake milliseconds since some moment
 */
export function createCleanup(
  comfyui: Pick<ComfyUI, 'deleteHistory'>,
  folder: string | undefined,
  log: Log,
  awake: () => number,
): Cleanup {
  let prompts: string[] = [];
  let stamps: Stamp[] = [];

  async function removeOutputs(of: Stamp[]): Promise<void> {
    if (folder === undefined) return;
    for (const { stamp, within } of of)
      for (const type of ['output', 'temp']) {
        const place = join(folder, type, within);
        for (const name of await namesIn(place)) if (isStamped(name, stamp)) await remove(join(place, name));
      }
  }

  async function remove(path: string): Promise<void> {
    await rm(path, { force: true, recursive: true }).catch((error: unknown) =>
      log.debug('file.removal_failed', { error: String(error) }),
    );
  }

  return {
    ofPrompt(promptId) {
      prompts.push(promptId);
    },
    ofAttempt(jobId, attempt) {
      if (folder === undefined) return;
      const one = { stamp: stampOf(jobId, attempt), within: outputFolder(jobId) };
      stamps.push({ ...one, due: awake() }, { ...one, due: awake() + AGAIN_AFTER });
    },
    async remove() {
      const ended = prompts;
      const due = stamps.filter((one) => one.due <= awake());
      prompts = [];
      stamps = stamps.filter((one) => !due.includes(one));
      if (ended.length > 0)
        await comfyui.deleteHistory(ended).catch((error: unknown) => {
          log.debug('history.removal_failed', { count: ended.length, error: String(error) });
          prompts = [...ended, ...prompts].slice(-REMEMBERED);
        });
      await removeOutputs(due);
    },
  };
}

/** Returns what is wrong with COMFYUI_PATH: with a wrong one nothing is deleted and the disk fills. */
export async function problemOfFolder(folder: string | undefined): Promise<string | undefined> {
  if (folder === undefined) return undefined;
  const names = await namesIn(folder);
  if (names.includes('output') && names.includes('input')) return undefined;
  return `COMFYUI_PATH should be ComfyUI's folder, with output and input in it; ${folder} is none: nothing is cleaned up`;
}

/** Names of its files and folders; a stamp is part of such a name. */
async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
