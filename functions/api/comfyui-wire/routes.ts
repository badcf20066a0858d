// What ComfyUI's wire answers, at the root and under /api: on a port of its own, and below the API's own addresses.

import type { Mounted } from '../http/route.ts';
import type { WireDeps } from './deps.ts';
import type { Features } from './features.ts';
import { historyRoutes } from './history.ts';
import { jobRoutes } from './jobs.ts';
import { nodeRoutes } from './nodes.ts';
import { promptRoutes } from './prompt.ts';
import { queueRoutes } from './queue.ts';
import type { Sockets } from './sockets.ts';
import { systemRoutes } from './system.ts';
import { uploadRoutes } from './upload.ts';
import { viewRoutes } from './view.ts';

/** @param sockets those that hear of prompts, and the address at which they open */
export function wireRoutes(
  deps: WireDeps,
  sockets: Pick<Sockets, 'routes' | 'sent'>,
  features: Features,
): Mounted[] {
  const atRoot = [
    ...promptRoutes(deps, sockets),
    ...historyRoutes(deps),
    ...queueRoutes(deps),
    ...viewRoutes(deps),
    ...uploadRoutes(deps, features.max_upload_size),
    ...nodeRoutes(deps),
    ...systemRoutes(deps, features),
    ...sockets.routes,
  ].map((one): Mounted => ({ ...one, alsoAtRoot: true }));
  return [...atRoot, ...jobRoutes(deps)];
}
