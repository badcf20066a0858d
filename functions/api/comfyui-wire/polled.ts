// ComfyUI's wire below the API's own addresses, for clients that poll: without its WebSocket, which a Lambda's Function URL does not
// carry.

import type { MiddlewareHandler } from 'hono';
import { MAX_UPLOAD_BYTES } from '../../core/limits.ts';
import type { ApiApp, ApiEnv } from '../deps.ts';
import { createFacade } from '../facade/app.ts';
import { addressesOf } from '../http/route.ts';
import type { WireDeps } from './deps.ts';
import { refusedFor, wireErrors } from './errors.ts';
import { FEATURES } from './features.ts';
import { takeKeyInAddress } from './key-in-address.ts';
import { wireRoutes } from './routes.ts';
import type { Sockets } from './sockets.ts';

/** What passes a Function URL for sure. */
const POLLED_FEATURES = { ...FEATURES, max_upload_size: MAX_UPLOAD_BYTES };

const NO_SOCKETS: Pick<Sockets, 'routes' | 'sent'> = {
  routes: [
    {
      route: 'GET /ws',
      scope: 'read',
      handle() {
        throw refusedFor(
          'no_websocket',
          'No WebSocket is carried here: poll GET /history/{prompt_id} at this address',
          'sockets open on the wire’s own port (COMFYUI_API_PORT), which beside a deployment on AWS a container serves: infra/RUNBOOK.md',
          501,
        );
      },
    },
  ],
  sent: () => undefined,
};

/** @param entry who may come in, and as whom. @param prefix before each address */
export function createPolled(
  deps: WireDeps,
  entry: readonly MiddlewareHandler<ApiEnv>[],
  prefix: string,
): ApiApp {
  const routes = wireRoutes(deps, NO_SOCKETS, POLLED_FEATURES).flatMap((one) =>
    addressesOf(one).map((address) => ({
      ...one,
      route: address.replace(' ', ` ${prefix}`) as typeof one.route,
    })),
  );
  return createFacade({ deps, entry: [takeKeyInAddress, ...entry], routes, errors: wireErrors(deps.log) });
}
