// Whether the API has a ComfyUI by whose nodes it converts and checks.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../api.ts';

const LIMIT = 10_000;
const PAUSE = 250;

export interface Asked {
  api: Api;
  /** Present for the API of this workspace. */
  local: { simulated: boolean } | undefined;
  /** Was it started by this command? Its ComfyUI's nodes are there a moment later. */
  isOwn: boolean;
  tell(line: string): void;
}

/** If there is none, or no real one, says so. */
export async function hasComfyUI({ api, local, isOwn, tell }: Asked, stopped: AbortSignal): Promise<boolean> {
  const until = Date.now() + (isOwn ? LIMIT : 0);
  while (!(await api.hasComfyUI())) {
    if (Date.now() >= until) {
      const advice = local
        ? '; COMFYUI_HOST and COMFYUI_PORT, or COMFYUI_URLS, say to npm start where one is'
        : '';
      tell(
        `No ComfyUI answers the API at ${api.url}: a canvas is converted by the nodes that it last saw, and nothing is certain${advice}`,
      );
      return false;
    }
    await sleep(PAUSE, undefined, { signal: stopped });
  }
  if (local?.simulated)
    tell('Checked by the simulated ComfyUI, which has few nodes; COMFYUI_HOST names a real one');
  return true;
}
