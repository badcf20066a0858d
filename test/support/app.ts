// The API as tests and measurements build it: over a store and a bucket of theirs, with what nobody cares about filled in.

import { randomBytes } from 'node:crypto';
import { createApps } from '../../functions/api/app.ts';
import type { Wire } from '../../functions/api/comfyui-wire/deps.ts';
import type { ApiApp, ApiDeps } from '../../functions/api/deps.ts';
import type { Readers } from '../../functions/api/http/readers.ts';
import { lazyCodec } from '../../functions/images/codec/lazy.ts';
import { createPresigner } from '../../functions/images/s3/presign.ts';
import { codecProgram } from '../../functions/runtime/codec-program.ts';
import { consoleFolder, docsFolder } from '../../functions/runtime/page-folders.ts';
import { CREDENTIALS, REGION } from './store.ts';

export const SETTINGS: ApiDeps['settings'] = {
  links: 'request',
  allowedOrigins: ['*'],
  fixedComfyUI: true,
  maxWaiting: 10_000,
};

type Given =
  | 'codec'
  | 'servedImages'
  | 'presigner'
  | 'random'
  | 'nudge'
  | 'docs'
  | 'console'
  | 'recorded'
  | 'settings';

type GivenDeps = Omit<ApiDeps, Given> & Partial<Pick<ApiDeps, Given>> & { readers?: Readers };

export const appWith = (deps: GivenDeps): ApiApp => appsWith(deps).api;

/** `upgrade`: for the requests to the wire that become sockets. */
export function appsWith(deps: GivenDeps): { api: ApiApp; wire: ApiApp; upgrade: Wire['upgrade'] } {
  const { api, wire } = createApps({
    servedImages: deps.images,
    presigner: createPresigner({ credentials: CREDENTIALS, region: REGION, bucket: 'images' }),
    random: randomBytes,
    nudge: () => undefined,
    codec: lazyCodec(codecProgram()),
    docs: docsFolder(),
    console: consoleFolder(),
    recorded: { nodes: {}, models: {} },
    settings: SETTINGS,
    ...deps,
  });
  return { api, wire: wire.app, upgrade: wire.upgrade };
}
