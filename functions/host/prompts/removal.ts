// Removes a prompt from ComfyUI: from its queue, or by an interrupt if it runs. ComfyUI's answer does not show
// whether it is gone, so the queue is read afterwards.

import { type ComfyUI, ComfyUIError } from '../../comfyui/client.ts';
import type { Log } from '../../log.ts';

const POLLS = 4;

/**
 * Returns true if the prompt has left the queue, false if a node that ignores the interrupt still runs.
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
 * Removes a prompt only while it waits. Returns true if it is in neither queue nor history, so that it never
 * ran; false if it runs or has run.
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
 * For a prompt to which ComfyUI gave its own id. Such a ComfyUI interrupts whatever runs, so it is asked only while that is this
 * prompt. Tried once: what remains is an image that is not fetched.
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
