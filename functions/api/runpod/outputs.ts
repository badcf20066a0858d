// What a job made, as worker-comfyui answers it: `images`, each as base64 or as a link, by the setting RUNPOD_OUTPUT. What it has no
// list for, texts and sound above all, stands in `files` beside them.

import type { JobOutput, JobState } from '../../core/job.ts';
import { MB } from '../../core/quota.ts';
import { inTurn } from '../facade/in-turn.ts';
import { wholeOutput } from '../http/whole-output.ts';
import { linkOfOutput } from '../http/output-link.ts';
import type { RunpodDeps } from './deps.ts';

interface OutputFile {
  filename: string;
  type: 'base64' | 's3_url';
  data: string;
}

export interface Output {
  images: OutputFile[];
  files?: OutputFile[];
  /** Of what is otherwise than asked for. */
  errors?: string[];
}

/** Of one answer's files, before they are in base64. */
const MAX_INLINE_BYTES = 32 * MB;
/** Answers that hold files in memory while they are made. */
const INLINE_AT_ONCE = 4;

export function outputReader(deps: RunpodDeps) {
  const { settings } = deps;
  const inMemory = inTurn(INLINE_AT_ONCE);

  async function linked(state: JobState, output: JobOutput, origin: string | undefined): Promise<OutputFile> {
    const data = await linkOfOutput(deps, state, output, origin);
    return { filename: output.filename, type: 's3_url', data };
  }

  async function inline(state: JobState, origin: string | undefined): Promise<[OutputFile[], string[]]> {
    const files: OutputFile[] = [];
    const errors: string[] = [];
    let left = MAX_INLINE_BYTES;
    for (const output of state.outputs ?? []) {
      const { filename, sizeBytes } = output;
      const bytes = await wholeOutput(deps, state, output, left);
      if (bytes) files.push({ filename, type: 'base64', data: bytes.toString('base64') });
      else {
        files.push(await linked(state, output, origin));
        errors.push(`${filename} is a link: one answer holds ${MAX_INLINE_BYTES / MB} MB`);
      }
      left -= bytes ? sizeBytes : 0;
    }
    return [files, errors];
  }

  return async (state: JobState, origin: string | undefined): Promise<Output> => {
    const outputs = state.outputs ?? [];
    const [made, errors] =
      settings.runpodOutput === 's3_url'
        ? [await Promise.all(outputs.map((output) => linked(state, output, origin))), []]
        : await inMemory(() => inline(state, origin));
    // As worker-comfyui: whatever a node lists under "images".
    const isImage = (index: number) => (outputs[index]!.key ?? 'images') === 'images';
    const files = made.filter((_, index) => !isImage(index));
    return {
      images: made.filter((_, index) => isImage(index)),
      ...(files.length > 0 && { files }),
      ...(errors.length > 0 && { errors }),
    };
  };
}
