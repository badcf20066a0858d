// Whether the API has a ComfyUI by whose nodes it converts and checks.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Api, WorkflowList } from '../api.ts';

/** A ComfyUI with many custom nodes takes seconds to list them. ms */
const LIMIT = 15_000;
const PAUSE = 250;

export interface Asked {
  api: Api;
  /** Present for the API of this workspace. */
  local: { simulated: boolean } | undefined;
  /** Was it started by this command? Its ComfyUI's nodes are there a moment later. */
  isOwn: boolean;
  tell(line: string): void;
}

/** A host whose nodes are known can run a workflow, or there is a reason; without one there is neither. */
export function isChecked({ details }: WorkflowList): boolean {
  return details.some(({ hosts, missing, faults }) => hosts.length + missing.length + faults.length > 0);
}

/** If there is none, or no real one, says so. @returns the workflows as they are then */
export async function checkedList(
  { api, local, isOwn, tell }: Asked,
  stopped: AbortSignal,
): Promise<WorkflowList> {
  const until = Date.now() + (isOwn ? LIMIT : 0);
  for (;;) {
    const list = await api.workflowList();
    if (isChecked(list)) {
      if (local?.simulated)
        tell('Checked by the simulated ComfyUI, which has few nodes; COMFYUI_HOST names a real one');
      return list;
    }
    if (Date.now() >= until) {
      const advice = local
        ? '; COMFYUI_HOST and COMFYUI_PORT, or COMFYUI_URLS, say to npm start where one is'
        : '';
      tell(
        `No ComfyUI answers the API at ${api.url}: a canvas is converted by the nodes that it last saw, and nothing is certain${advice}`,
      );
      return list;
    }
    await sleep(PAUSE, undefined, { signal: stopped });
  }
}
