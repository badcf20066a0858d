// Taking a prompt out of ComfyUI: from its queue, or by an interrupt if it runs. What ComfyUI answers does not tell
// whether it is gone, so it is looked for afterwards.

import { type ComfyUI, ComfyUIError } from '../../comfyui/client.ts';
import type { Log } from '../../log.ts';

const POLLS = 4;

/**
 * True: it is not in the queue any more. False: a node that cannot be interrupted still runs.
 * @throws ComfyUIError
 */
export async function removePrompt(
  comfyui: Pick<ComfyUI, 'queue' | 'cancel'>,
  promptId: string,
  pause: (attempt: number) => Promise<void>,
): Promise<boolean> {
  for (let poll = 0; poll < POLLS; poll += 1) {
    await comfyui.cancel([promptId]);
    const { running, pending } = await comfyui.queue();
    if (![...running, ...pending].some((item) => item.promptId === promptId)) return true;
    await pause(poll);
  }
  return false;
}

/**
 * Takes a prompt out of the queue only while it waits there. True: it is in neither queue nor history, so it never
 * ran. False: it runs or has run.
 */
export async function withdrawPrompt(
  comfyui: Pick<ComfyUI, 'queue' | 'history' | 'deleteQueued'>,
  promptId: string,
): Promise<boolean> {
  await comfyui.deleteQueued([promptId]);
  const { running, pending } = await comfyui.queue();
  if ([...running, ...pending].some((item) => item.promptId === promptId)) return false;
  return (await comfyui.history(promptId)) === undefined;
}

/**
 * One that ComfyUI gave an id of its own. Such a ComfyUI interrupts whatever runs: it is asked to only while that is this
 * one. Tried once: what is left of it is a picture that nobody fetches.
 */
export async function removeForeignPrompt(
  comfyui: Pick<ComfyUI, 'queue' | 'deleteQueued' | 'interrupt'>,
  promptId: string,
  log: Log,
): Promise<void> {
  try {
    await comfyui.deleteQueued([promptId]);
    const { running } = await comfyui.queue();
    if (running.some((item) => item.promptId === promptId)) await comfyui.interrupt(promptId);
  } catch (error) {
    if (!(error instanceof ComfyUIError)) throw error;
    log.debug('prompt.foreign_removal_failed', { promptId, error: error.message });
  }
}
