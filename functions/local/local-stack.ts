// `npm start`: all services in one process, with tables and images in its workspace. Where no ComfyUI is at hand the
// simulated one is a child process.

import { randomBytes, randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { join, resolve } from 'node:path';
import type { Wire } from '../api/comfyui-wire/deps.ts';
import { machineApps } from '../api/from-settings.ts';
import { createReaders } from '../api/http/readers.ts';
import type { LocalSettings } from '../config/local.ts';
import { logLevelOf } from '../config/log.ts';
import type { Connected } from '../runtime/connect.ts';
import { controlRound } from '../controller/round.ts';
import { createSpreading } from '../controller/queue-spread.ts';
import { createWatch } from '../controller/watch.ts';
import { IMAGE_READERS, SLOTS_PER_HOST, UPLOADS_AT_ONCE } from '../core/limits.ts';
import { createLive } from '../core/live.ts';
import { createLived } from '../core/lived-time.ts';
import type { Template } from '../core/template.ts';
import { graphsWithoutFiles } from '../core/least-work.ts';
import { type RunningHosts, startHosts } from '../host/several.ts';
import { inputsOf } from '../host/inputs/folder.ts';
import { noteOfCopy, rememberReal } from '../runtime/identity.ts';
import { signal } from '../runtime/deferred.ts';
import { every } from '../runtime/ticker.ts';
import { createLog, type Log } from '../log.ts';
import { openTables } from '../store/open.ts';
import { notifyingOfEnds } from '../webhooks/ticker.ts';
import { notifyingOfChanges } from './changes.ts';
import { followWorkflows } from '../runtime/followed-workflows.ts';
import { type ChosenComfyUI, chooseComfyUIs } from './comfyui.ts';
import { diskRoom } from './disk-room.ts';
import { drawFirstKey } from './first-key.ts';
import { CONNECTION_LIMITS, listen, listenerOf, type Listening } from '../runtime/listen.ts';
import { openLocalImages } from './images.ts';
import { linksBefore } from './links.ts';
import { isUpload, uploadsBefore } from './uploads.ts';
import { applyRetention, retentionPeriod } from './retention.ts';
import { openLocalTables } from './tables.ts';
import { startWebhooks } from './webhooks.ts';
import { noteOfDisk, openWorkspace } from './workspace.ts';

export interface LocalStack {
  /** The API's URL on this machine. */
  url: string;
  /** Of ComfyUI's wire, where it is served. */
  wireUrl?: string | undefined;
  /**
   * At least one; all of one kind. Resolves when their hosts run: jobs that come before wait for them.
   * @throws AppError where the simulated one does not come up
   */
  comfyuis: Promise<ChosenComfyUI[]>;
  templates: ReadonlyMap<string, Template>;
  directory: string;
  /** From a workspace of release 0.1, by this start. */
  takenOver?: { items: number; images: number } | undefined;
  /** Created by this start; only its hash is stored. */
  firstKey?: string | undefined;
  /** Drains the host, stops every service and ends the children. */
  stop(): Promise<void>;
}

const SWEEP_EVERY = 5000;
const MINUTE = 60_000;

/** Resolves when the API takes jobs. @throws AppError for errors that a person can correct */
export async function startLocalStack(settings: LocalSettings): Promise<LocalStack> {
  const log = (room: string): Log => createLog(room, logLevelOf(settings));
  const workflows = await followWorkflows(settings.WORKFLOWS_PATH, log('local'));
  const room = diskRoom(join(resolve(settings.WORKSPACE_PATH), 'tables'));
  // Before the workspace: its locks are LevelDB folders, which need space to be opened.
  room.opens();
  const workspace = await openWorkspace(settings.WORKSPACE_PATH);
  const { directory } = workspace;
  const copied = noteOfCopy(directory, workspace.identity);
  for (const reason of [copied, await noteOfDisk(directory)])
    if (reason !== undefined) log('local').warn('workspace.noted', { reason });
  const { machineId, secretAccessKey } = workspace.identity;

  // The port comes first: if it is taken, nothing has to be undone. Requests wait until the app is ready.
  const answering = signal<RequestListener>();
  const server = await listen(
    (req, res) => void answering.promise.then((listener) => listener(req, res)),
    settings.API_HOST,
    settings.API_PORT,
    CONNECTION_LIMITS,
    'API',
    isUpload,
  );
  const wireAnswering = signal<{ request: RequestListener; upgrade: Wire['upgrade'] }>();
  const wireServer =
    settings.COMFYUI_API_PORT === undefined
      ? undefined
      : await listen(
          (req, res) => void wireAnswering.promise.then(({ request }) => request(req, res)),
          settings.API_HOST,
          settings.COMFYUI_API_PORT,
          CONNECTION_LIMITS,
          'COMFYUI_API',
        );
  wireServer?.server.on('upgrade', (req, socket, head) => {
    void wireAnswering.promise.then(({ upgrade }) => upgrade(req, socket, head));
  });
  const local =
    settings.API_HOST === '0.0.0.0' || settings.API_HOST === '::' ? '127.0.0.1' : settings.API_HOST;
  const urlOf = ({ port }: Listening) => `http://${local.includes(':') ? `[${local}]` : local}:${port}`;
  const url = urlOf(server);

  // A simulated one takes longest to come up: beside all that follows.
  const choosing = chooseComfyUIs(
    { ...settings, WORKSPACE_PATH: directory },
    workspace.identity.usedReal,
    log('local'),
  );
  choosing.then(({ comfyuis }) => comfyuis).catch(() => undefined);
  const { engine, takenOver: items } = await openLocalTables(directory, room, log('local'));
  const [{ images, links, takenOver: files }, { kind, path, comfyuis: chosen }] = await Promise.all([
    openLocalImages({ directory, secret: secretAccessKey, hasRoom: room.takes, log: log('local') }),
    choosing,
  ]);

  const connected: Connected = {
    ...openTables(engine),
    images,
    servedImages: images,
    presigner: links,
    timings: engine.timings,
    now: () => engine.clock.now(),
  };
  const { hosts, spread, chores, usage, ledgers, now } = connected;
  const changes = notifyingOfChanges(notifyingOfEnds(connected.jobs, () => webhooks.nudge()));
  const { jobs } = changes;

  const webhooks = startWebhooks(connected, settings, log('webhooks'));
  // In one process no offer is needed: the host polls at once.
  const nudge = () => running?.poll();
  const live = createLive();
  const stopping = new AbortController();
  const readers = createReaders(IMAGE_READERS);
  const { api, wire } = machineApps(settings, connected, {
    readers,
    jobs,
    workflows,
    log: log('api'),
    nudge,
    changes: changes.listen,
    live,
    webhookDue: () => webhooks.nudge(),
    stopping: stopping.signal,
    settings: {
      links: settings.PUBLIC_URL === undefined ? 'request' : { origin: settings.PUBLIC_URL },
      fixedComfyUI: true,
      comfyuiKind: kind,
    },
  });

  let running: RunningHosts | undefined;
  const starting = chosen.then(async (comfyuis) => {
    if (kind === 'real' && comfyuis.some(({ simulated }) => !simulated)) await rememberReal(directory);
    running = await startHosts(
      {
        jobs,
        hosts,
        spread,
        ledgers,
        images,
        kind,
        log: log('host'),
        now,
        machineId,
        slots: SLOTS_PER_HOST,
        isAlone: comfyuis.length === 1,
        comfyuiPath: path,
        live,
        inputs: inputsOf(path, settings.INPUTS_GB, log('host')),
        imageMetadata: settings.IMAGE_METADATA,
        restartCommand: settings.COMFYUI_RESTART_COMMAND,
        warmUp: settings.WARM_UP ? { graphs: graphsWithoutFiles(workflows.templates) } : undefined,
      },
      comfyuis,
    );
    return comfyuis;
  });
  starting.catch(() => undefined);
  const controllerLog = log('controller');
  const watch = createWatch(SWEEP_EVERY);
  const ledger = ledgers.of(`controller.${randomUUID()}`);
  const spreading = createSpreading({ ...connected, log: controllerLog });
  const controller = every(
    'control',
    SWEEP_EVERY,
    () =>
      controlRound({ jobs, hosts, chores, usage, log: controllerLog, now, watch, nudge, spreading, ledger }),
    controllerLog,
    // No delay: the host has just released what its former run held.
    0,
  );

  const keep = settings.KEEP_DAYS;
  const retentionLog = log('local');
  const lived = createLived(2 * retentionPeriod(keep) + MINUTE);
  lived.ended(now());
  const retention = every(
    'retention',
    retentionPeriod(keep),
    () =>
      applyRetention({ removeExpired: engine.removeExpired, images, log: retentionLog, now, keep, lived }),
    retentionLog,
  );

  const writers = createReaders(UPLOADS_AT_ONCE);
  const direct = { links, images, log: log('local') };
  answering.resolve(
    linksBefore(uploadsBefore(listenerOf(api), { ...direct, writers }), { ...direct, readers }),
  );
  wireAnswering.resolve({ request: listenerOf(wire.app), upgrade: wire.upgrade });
  const firstKey =
    settings.FIRST_KEY && settings.API_KEYS === 'required'
      ? await drawFirstKey(connected.keys, now(), randomBytes)
      : undefined;
  await workspace.announce({ url });

  return {
    url,
    wireUrl: wireServer && urlOf(wireServer),
    comfyuis: starting,
    templates: workflows.templates,
    directory,
    takenOver: items === undefined ? undefined : { items, images: files ?? 0 },
    firstKey,
    async stop() {
      stopping.abort();
      await Promise.all([server.close(), wireServer?.close()]);
      // What is on its way up must be there to be ended.
      const comfyuis = await starting.catch(() => []);
      await running?.drain();
      await Promise.all([controller.stop(), retention.stop(), webhooks.stop(), workflows.stop()]);
      await Promise.all(comfyuis.map((comfyui) => comfyui.stop()));
      await engine.close();
      await workspace.release();
    },
  };
}
