// What jobs that have ended leave in ComfyUI: history entries, and, where its folder is within reach, outputs and
// staged inputs. Removed together once a second: nobody waits for it. Refuses every file without our stamp: it is a
// person's, or one that ComfyUI's cache will name again.

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ComfyUI } from '../../comfyui/client.ts';
import { isStamped, stampOf } from '../../core/names.ts';
import type { Log } from '../../log.ts';

export interface Cleanup {
  /** Its history entry is needed no more. */
  ofPrompt(promptId: string): void;
  /** Whatever it wrote into the folder for outputs: all that carries its stamp, of whatever kind, and nothing else. */
  ofAttempt(jobId: string, attempt: number): void;
  /** A file of ours in ComfyUI's input folder. */
  ofInput(name: string): void;
  remove(): Promise<void>;
}

/** ComfyUI forgets the oldest of its 10,000 entries by itself: nothing grows without end while it is silent. */
const REMEMBERED = 10_000;
/** A node that was broken off may write once more: then the folders are looked through again. */
const AGAIN_AFTER = 60_000;

/**
 * @param folder ComfyUI's own, with `output` and `input` in it; undefined where it is out of reach
 * @param awake milliseconds since some moment
 */
export function createCleanup(
  comfyui: Pick<ComfyUI, 'deleteHistory'>,
  folder: string | undefined,
  log: Log,
  awake: () => number,
): Cleanup {
  let prompts: string[] = [];
  let inputs: string[] = [];
  let stamps: { stamp: string; due: number }[] = [];

  async function removeOutputs(of: string[]): Promise<void> {
    if (folder === undefined || of.length === 0) return;
    for (const type of ['output', 'temp'])
      for (const path of await namesIn(join(folder, type)))
        if (of.some((stamp) => isStamped(path, stamp))) await remove(join(folder, type, path));
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
      const stamp = stampOf(jobId, attempt);
      stamps.push({ stamp, due: awake() }, { stamp, due: awake() + AGAIN_AFTER });
    },
    ofInput(name) {
      if (folder !== undefined) inputs.push(name);
    },
    async remove() {
      const [ended, staged] = [prompts, inputs];
      const due = stamps.filter((one) => one.due <= awake());
      prompts = [];
      inputs = [];
      stamps = stamps.filter((one) => !due.includes(one));
      if (ended.length > 0)
        await comfyui.deleteHistory(ended).catch((error: unknown) => {
          log.debug('history.removal_failed', { count: ended.length, error: String(error) });
          prompts = [...ended, ...prompts].slice(-REMEMBERED);
        });
      for (const name of staged) await remove(join(folder!, 'input', name));
      await removeOutputs(due.map(({ stamp }) => stamp));
    },
  };
}

/** What a person should know of a COMFYUI_PATH: where it is wrong nothing is deleted, and the disk fills. */
export async function problemOfFolder(folder: string | undefined): Promise<string | undefined> {
  if (folder === undefined) return undefined;
  const names = await namesIn(folder);
  if (names.includes('output') && names.includes('input')) return undefined;
  return `COMFYUI_PATH should be ComfyUI's folder, with output and input in it; ${folder} is none: nothing is cleaned up`;
}

/** Files and folders at its top: a stamp stands in the name of the one or of the other. */
async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
