// What ComfyUI's page asks its server about itself at its start. Of a person's own settings, workflows and translations a fleet
// keeps none: the page starts with its defaults, and what it would have kept is refused as every address that there is not.

import { exactJson } from '../http/exact-json.ts';
import type { Mounted } from '../http/route.ts';

const ANSWERS: Record<string, unknown> = {
  // One person, whose things the server would keep.
  '/users': { storage: 'server', migrated: true },
  // Its tour begins with templates, which are another package's.
  '/settings': { 'Comfy.TutorialCompleted': true },
  '/userdata': [],
  '/i18n': {},
  '/global_subgraphs': {},
  '/workflow_templates': {},
};

export const pageDataRoutes = (): Mounted[] =>
  Object.entries(ANSWERS).map(([path, answer]) => ({
    route: `GET ${path}` as Mounted['route'],
    alsoAtRoot: true,
    scope: 'read',
    handle: (c) => Promise.resolve(exactJson(c, answer)),
  }));
