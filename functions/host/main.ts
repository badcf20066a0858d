// The GPU host's process: one a machine, beside its ComfyUI. SIGTERM drains it.

import { createComfyUI } from '../comfyui/client.ts';
import { hostSettings } from '../config.ts';
import { AppError } from '../core/errors.ts';
import { createLog } from '../log.ts';
import { connect, placesOf } from '../process/connect.ts';
import { explainAndExit, onStopSignal, sayReady } from '../process/exit.ts';
import { identityOf } from '../process/identity.ts';
import { CONNECTION_LIMITS, listen, listenerOf } from '../process/listen.ts';
import { tryLockIn } from '../process/lock.ts';
import { type RunningHost, startHost } from './host.ts';
import { createIntake } from './intake.ts';

try {
  const settings = hostSettings(process.env);
  const lock = await tryLockIn(settings.WORKSPACE_PATH, 'host.lock');
  if (!lock)
    throw new AppError(
      'in_use',
      `Another host process has ${settings.WORKSPACE_PATH}; a machine has one: stop it, or set WORKSPACE_PATH`,
    );
  const { machineId } = await identityOf(settings.WORKSPACE_PATH);
  const log = createLog('host', settings.DEBUG ? 'debug' : 'warn');
  const { jobs, hosts, images, now } = connect(placesOf(settings));

  let host: RunningHost | undefined;
  const intake = await listen(
    listenerOf(createIntake(() => host, now)),
    settings.INTAKE_HOST,
    settings.INTAKE_PORT,
    CONNECTION_LIMITS,
    'INTAKE',
  );
  host = await startHost({
    jobs,
    hosts,
    images,
    comfyui: createComfyUI(`http://${settings.COMFYUI_HOST}:${settings.COMFYUI_PORT}`),
    log,
    now,
    machineId,
    url: settings.INTAKE_URL ?? `http://${settings.INTAKE_HOST}:${intake.port}`,
    slots: settings.SLOTS,
    usdPerHour: settings.USD_PER_HOUR,
    comfyuiPath: settings.COMFYUI_PATH,
  });
  const running = host;
  onStopSignal(async () => {
    await running.drain();
    await intake.close();
    await lock.release();
  });
  sayReady({ hostId: running.hostId, port: intake.port });
} catch (error) {
  explainAndExit(error);
}
