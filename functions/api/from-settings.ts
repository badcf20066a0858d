// Builds the API of a process from its settings: on a machine, alone or in the local stack, and as a Lambda.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import recordedNodes from '../comfyui/recorded-object-info.json' with { type: 'json' };
import { type ApiLambdaSettings, NO_SECRET } from '../config/api-lambda.ts';
import { allowedOriginsOf, type ApiSettings } from '../config/api.ts';
import type { LocalSettings } from '../config/local.ts';
import { ownerLimitsOf } from '../config/owner-limits.ts';
import { MAX_WAITING } from '../core/limits.ts';
import type { ObjectInfo } from '../core/object-info.ts';
import { lazyCodec } from '../images/codec/lazy.ts';
import { codecProgram } from '../runtime/codec-program.ts';
import type { Connected } from '../runtime/connect.ts';
import type { Fetch } from '../outbound/fetch.ts';
import { consoleFolder, docsFolder } from '../runtime/page-folders.ts';
import { createApp, createApps } from './app.ts';
import type { Wire } from './comfyui-wire/deps.ts';
import type { ApiApp, ApiDeps } from './deps.ts';
import { askForKeys } from './http/access.ts';
import type { Readers } from './http/readers.ts';

/** What a process has of its own. */
type Own = Pick<ApiDeps, 'workflows' | 'log' | 'nudge'> &
  Partial<Pick<ApiDeps, 'jobs' | 'stopping' | 'webhookDue' | 'changes' | 'live'> & { readers: Readers }>;

export function machineApps(
  settings: ApiSettings | LocalSettings,
  connected: Connected,
  own: Own & { settings: Pick<ApiDeps['settings'], 'links' | 'fixedComfyUI' | 'comfyuiKind'> },
): { api: ApiApp; wire: Wire } {
  return createApps({
    ...connected,
    ...own,
    ...(settings.API_KEYS === 'required' && { admit: askForKeys(connected) }),
    ...inputsByAddress(settings, [
      hostname(),
      ...(typeof own.settings.links === 'object' ? [new URL(own.settings.links.origin).hostname] : []),
    ]),
    random: randomBytes,
    docs: docsFolder(),
    console: consoleFolder(),
    codec: lazyCodec(codecProgram()),
    recorded: { nodes: recordedNodes, models: {} },
    settings: {
      ...common(settings),
      ...own.settings,
      maxWaiting: 'MAX_WAITING' in settings ? settings.MAX_WAITING : MAX_WAITING,
      allowedOrigins: allowedOriginsOf(settings),
      allowedHosts: [...settings.ALLOWED_HOSTS, hostname()],
      webhookAllowPrivate: settings.WEBHOOK_ALLOW_PRIVATE,
      page: settings.COMFYUI_API_PAGE,
    },
  });
}

/** @param folder of its bundle: what is rarely needed lies beside it, and no cold start loads it */
export function lambdaApp(
  settings: ApiLambdaSettings,
  connected: Connected,
  own: Own & { folder: string },
): ApiApp {
  return createApp({
    ...connected,
    ...own,
    admit: askForKeys(connected, ...given(settings.API_KEY, settings.API_KEY_PREVIOUS)),
    ...inputsByAddress(settings, []),
    random: randomBytes,
    docs: join(own.folder, 'docs'),
    console: join(own.folder, 'console'),
    codec: lazyCodec(join(own.folder, 'image-codec', 'thread.mjs')),
    recorded: {
      get nodes(): ObjectInfo {
        const recorded = join(own.folder, 'recorded-object-info.json');
        return JSON.parse(readFileSync(recorded, 'utf8')) as ObjectInfo;
      },
      models: {},
    },
    settings: {
      ...common(settings),
      links: 'bucket',
      fixedComfyUI: false,
      maxWaiting: settings.MAX_WAITING,
      allowedOrigins: settings.ALLOWED_ORIGINS,
      // Lambda would break it off after a minute.
      openAtMost: 50_000,
      hsts: true,
    },
  });
}

/** @param hosts names of this service */
function inputsByAddress(
  { INPUT_URLS: reach }: Pick<ApiSettings, 'INPUT_URLS'>,
  hosts: readonly string[],
): Pick<ApiDeps, 'fetchInput'> {
  if (reach === 'off') return {};
  const allowPrivate = reach === 'private';
  let loading: Promise<Fetch> | undefined;
  return {
    async fetchInput(...asked) {
      // Few calls need it.
      loading ??= Promise.all([
        import('../outbound/address.ts'),
        import('../outbound/fetch.ts'),
        import('../outbound/own-addresses.ts'),
      ]).then(([{ resolveAsMachine, resolveByDns }, { createFetch }, { ownAddresses }]) =>
        createFetch({
          resolve: allowPrivate ? resolveAsMachine : resolveByDns(),
          allowPrivate,
          own: allowPrivate ? new Set() : ownAddresses(hosts),
        }),
      );
      return (await loading)(...asked);
    },
  };
}

function common(settings: ApiSettings | LocalSettings | ApiLambdaSettings) {
  return {
    openConnections: settings.OPEN_CONNECTIONS,
    ownerLimits: ownerLimitsOf(settings),
    keep: settings.KEEP_DAYS,
    runpodOutput: settings.RUNPOD_OUTPUT,
    polledWire: settings.COMFYUI_API_POLLED,
  };
}

/** Of a secret that is replaced, both. */
export function given(...secrets: (string | undefined)[]): string[] {
  return secrets.flatMap((secret) => (secret === undefined || secret === NO_SECRET ? [] : [secret]));
}
