// Callers with keys of ComfyUI's wire.

import { randomBytes } from 'node:crypto';
import { askForKeys } from '../../../functions/api/http/access.ts';
import type { ApiApp } from '../../../functions/api/deps.ts';
import { drawKey, type Scope } from '../../../functions/core/access.ts';
import { appsWith, SETTINGS } from '../../support/app.ts';
import type { Rig } from '../../support/rig.ts';

/** The rig's wire, as another process that asks for keys serves it. */
export const guardedWire = (rig: Rig): ApiApp => guarded(rig, SETTINGS).wire;

/** Its API, the same way. */
export const guardedApi = (rig: Rig, settings = SETTINGS): ApiApp => guarded(rig, settings).api;

function guarded({ store, images, templates, log, timings, nudge }: Rig, settings: typeof SETTINGS) {
  const workflows = { templates, refused: [] };
  const admit = askForKeys({ keys: store.keys, now: store.now });
  return appsWith({ ...store, images, workflows, log, timings, nudge, admit, settings });
}

export async function createKey(
  { store }: Rig,
  owner: string,
  scopes: Scope[] = ['generate', 'graphs', 'read'],
): Promise<string> {
  const { key, keyId, hash } = drawKey(randomBytes);
  await store.keys.add({ keyId, hash, name: owner, owner, scopes, createdAt: store.now() });
  return key;
}
