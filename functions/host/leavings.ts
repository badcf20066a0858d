// What jobs that have ended leave in ComfyUI: history entries, and, where its folder is within reach, outputs and
// staged inputs. Removed together once a second: nobody waits for it.

import { rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { ComfyUI, OutputFile } from '../comfyui/client.ts';
import type { Log } from '../log.ts';

export interface Leavings {
  /** Its history entry is needed no more. */
  ofPrompt(promptId: string): void;
  /** A file in ComfyUI's output or input folder. */
  ofFile(file: OutputFile): void;
  remove(): Promise<void>;
}

/** ComfyUI forgets the oldest of its 10,000 entries by itself: nothing grows without end while it is silent. */
const REMEMBERED = 10_000;

/** @param folder ComfyUI's own, with `output` and `input` in it; undefined where it is out of reach */
export function createLeavings(
  comfyui: Pick<ComfyUI, 'deleteHistory'>,
  folder: string | undefined,
  log: Log,
): Leavings {
  let prompts: string[] = [];
  let files: OutputFile[] = [];
  return {
    ofPrompt(promptId) {
      prompts.push(promptId);
    },
    ofFile(file) {
      if (folder !== undefined) files.push(file);
    },
    async remove() {
      const [ended, left] = [prompts, files];
      prompts = [];
      files = [];
      if (ended.length > 0)
        await comfyui.deleteHistory(ended).catch((error: unknown) => {
          log.debug('history kept', { count: ended.length, error: String(error) });
          prompts = [...ended, ...prompts].slice(-REMEMBERED);
        });
      for (const { filename, subfolder, type } of left) {
        const root = resolve(folder!, type);
        const path = join(root, subfolder, filename);
        // ComfyUI's word is not enough to leave its folder.
        if (relative(root, path).startsWith('..')) continue;
        await rm(path, { force: true }).catch((error: unknown) =>
          log.debug('file kept', { error: String(error) }),
        );
      }
    },
  };
}
