// A job's inputs, from the bucket to where ComfyUI reads them: into its input folder where that is on this machine, else by
// its POST /upload/image. Several at the same time; each content once, under a name of its content.

import { ComfyUIBroken, type ComfyUI, ComfyUIRefused, ComfyUISilent } from '../../comfyui/client.ts';
import { isDiskFull, StorageFull } from '../../core/disk-full.ts';
import { type InputKey, stagedName } from '../../core/names.ts';
import type { Images } from '../../images/images.ts';
import type { Log } from '../../log.ts';
import { InputChanged, InputGone, openInput } from './bytes.ts';
import type { InputFolder } from './folder.ts';

export interface StagingDeps {
  comfyui: Pick<ComfyUI, 'uploadInput' | 'viewHead'>;
  images: Pick<Images, 'get' | 'head'>;
  /** Absent: ComfyUI's folder is not on this machine. */
  inputs?: InputFolder | undefined;
  log: Log;
  /** Milliseconds that this machine has been awake since some moment. */
  awake(): number;
  pause(attempt: number): Promise<void>;
}

/**
 * `gone`: why an input cannot be had from the bucket any more. `refused`: why ComfyUI rejects one. `aside`: why this
 * ComfyUI cannot store one now; others may.
 */
export type Staged = 'staged' | 'broken-off' | { gone: string } | { refused: string } | { aside: string };

export interface InputStaging {
  /** From before they are staged until the returned function is called: they are not removed. */
  hold(staging: readonly InputKey[]): () => void;
  /** Retries a silent bucket without limit, until the signal. */
  stage(staging: readonly InputKey[], jobId: string, signal: AbortSignal): Promise<Staged>;
}

const AT_ONCE = 4;
/** The job goes to another host if ComfyUI answers but stores no file for so long, ms. */
const SILENT_FOR = 60_000;
/** Of an input whose bytes are not those that were uploaded. */
const CHANGED_TRIES = 3;
/** Of a folder that this process cannot write to. */
const CLOSED = ['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR'];

export function createStaging(deps: StagingDeps): InputStaging {
  const { comfyui, images, log, pause, awake } = deps;
  let { inputs } = deps;
  /** ComfyUI was seen to read the folder. */
  let isSeen = false;
  const uploads = new Map<string, Promise<void>>();

  /** Everything goes by ComfyUI from now on. */
  function closeFolder(reason: string): void {
    if (inputs) log.warn('input.folder_unused', { reason });
    inputs = undefined;
  }

  async function put(input: InputKey, signal: AbortSignal): Promise<void> {
    const name = stagedName(input);
    if (inputs)
      try {
        await inputs.place(name, () => openInput(images, input), signal);
        if (isSeen || (await comfyui.viewHead(fileOf(name)))) {
          isSeen = true;
          return;
        }
        closeFolder('ComfyUI reads its inputs from another folder than the one in COMFYUI_PATH');
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException;
        if (!CLOSED.includes(code)) throw error;
        closeFolder(`the input folder in COMFYUI_PATH cannot be written: ${code}`);
      }
    // A file that is written again is empty for a moment, in which another job may read it.
    const running = uploads.get(name) ?? upload(name, input).finally(() => uploads.delete(name));
    uploads.set(name, running);
    await running;
  }

  async function upload(name: string, input: InputKey): Promise<void> {
    const there = await comfyui.viewHead(fileOf(name));
    if (there) {
      const head = await images.head(input.key);
      if (!head) throw new InputGone(`${input.key} is gone`);
      if (there.sizeBytes === head.sizeBytes) return;
    }
    await comfyui.uploadInput(name, await openInput(images, input));
  }

  /** @returns what ends the staging of the whole job; undefined: it is staged */
  async function stageOne(
    input: InputKey,
    jobId: string,
    signal: AbortSignal,
  ): Promise<Exclude<Staged, 'staged'> | undefined> {
    const name = input.key.slice(input.key.lastIndexOf('/') + 1);
    let silentSince: number | undefined;
    let changed = 0;
    for (let tries = 0; ; tries += 1) {
      if (signal.aborted) return 'broken-off';
      try {
        await put(input, signal);
        return undefined;
      } catch (error) {
        if (signal.aborted) return 'broken-off';
        if (error instanceof InputGone) return { gone: name };
        if (error instanceof ComfyUIRefused)
          return { refused: `${name}: ${error.reason || `it answered ${error.status}`}` };
        if (error instanceof ComfyUIBroken) return { aside: error.message };
        if (error instanceof StorageFull || isDiskFull(error))
          return { aside: 'the disk of its input folder is full' };
        if (error instanceof InputChanged && (changed += 1) >= CHANGED_TRIES)
          return { gone: `${name}: the bucket has other bytes than those that were uploaded` };
        if (error instanceof ComfyUISilent) {
          silentSince ??= awake();
          if (awake() - silentSince > SILENT_FOR) return { aside: error.message };
        }
        log.error('image.staging_failed', error, { jobId });
        await pause(tries);
      }
    }
  }

  return {
    hold: (staging) => inputs?.hold(staging.map(stagedName)) ?? (() => undefined),

    async stage(staging, jobId, signal) {
      const queue = [...staging];
      const failed = new AbortController();
      const stop = AbortSignal.any([signal, failed.signal]);
      let ended: Exclude<Staged, 'staged'> | undefined;
      async function work(): Promise<void> {
        for (let input = queue.shift(); input && !ended; input = queue.shift()) {
          const end = await stageOne(input, jobId, stop);
          if (!end) continue;
          ended ??= end;
          // The others are not waited for.
          failed.abort();
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      return ended ?? 'staged';
    },
  };
}

function fileOf(filename: string) {
  return { filename, subfolder: '', type: 'input' };
}
