// The GPU host's process: one per machine, beside its ComfyUI. SIGTERM drains it. With AUTO_SCALING_GROUP it runs
// on EC2 and ends the machine when it is idle.

import { comfyuiAddressesOf } from '../config/comfyui.ts';
import { hostSettings, type MachineSettings, machineHostSettings } from '../config/host.ts';
import { logLevelOf } from '../config/log.ts';
import { AppError } from '../core/errors.ts';
import { isKeptWarm } from '../core/fleet.ts';
import { createLog, type Log } from '../log.ts';
import { createInstanceMetadata } from '../machines/instance.ts';
import { createMachines } from '../machines/machines.ts';
import { createMetrics } from '../metrics.ts';
import { connect, storageOf } from '../runtime/connect.ts';
import { explainAndExit, onStopSignal, reportReady, writePrivately } from '../runtime/exit.ts';
import { identityOf, noteOfCopy } from '../runtime/identity.ts';
import { CONNECTION_LIMITS, listen, listenerOf } from '../runtime/listen.ts';
import { tryLockIn } from '../runtime/lock.ts';
import { loadTemplates } from '../runtime/workflows.ts';
import { graphsWithoutFiles } from '../core/least-work.ts';
import { type RunningHosts, startHosts } from './several.ts';
import { createIntakes, pathOfIntake } from './claims/intake.ts';
import { inputsOf } from './inputs/folder.ts';
import { problemOfFolder } from './prompts/cleanup.ts';
import { type Retirable, type Retirement, watchRetirement } from './machine/retirement.ts';
import { reportStart } from './machine/boot-report.ts';

try {
  writePrivately();
  const settings = hostSettings(process.env);
  const addresses = comfyuiAddressesOf(settings);
  const machine = settings.AUTO_SCALING_GROUP === undefined ? undefined : machineHostSettings(process.env);
  const lock = await tryLockIn(settings.WORKSPACE_PATH, 'host.lock');
  if (!lock)
    throw new AppError(
      'in_use',
      `Another host process has ${settings.WORKSPACE_PATH}; a machine has one: stop it, or set WORKSPACE_PATH`,
    );
  const log = createLog('host', logLevelOf(settings, machine ? 'info' : 'warn'));
  const identity = machine ? undefined : await identityOf(settings.WORKSPACE_PATH);
  const machineId = machine?.INSTANCE_ID ?? identity!.machineId;
  for (const note of [
    identity && noteOfCopy(settings.WORKSPACE_PATH, identity),
    await problemOfFolder(settings.COMFYUI_PATH),
  ])
    if (note !== undefined) log.warn('workspace.noted', { reason: note });
  const metrics = createMetrics('host', settings.METRICS_NAMESPACE);
  const { jobs, hosts, spread, ledgers, images, fleetStore, timings, now } = connect(storageOf(settings), {
    log,
  });

  let running: RunningHosts | undefined;
  const intake = await listen(
    listenerOf(createIntakes(addresses.length, (index) => running?.all[index], now)),
    settings.INTAKE_HOST,
    settings.INTAKE_PORT,
    CONNECTION_LIMITS,
    'INTAKE',
  );
  const launchedAt = machine?.LAUNCHED_AT;
  const intakeUrl = settings.INTAKE_URL ?? `http://${settings.INTAKE_HOST}:${intake.port}`;
  running = await startHosts(
    {
      jobs,
      hosts,
      spread,
      ledgers,
      images,
      log,
      timings,
      now,
      metrics,
      machineId,
      zone: machine?.AVAILABILITY_ZONE,
      urlOf: (index) => intakeUrl + pathOfIntake(index, addresses.length),
      slots: settings.SLOTS,
      usdPerHour: settings.USD_PER_HOUR,
      release: machine?.RELEASE,
      comfyuiPath: settings.COMFYUI_PATH,
      inputs: inputsOf(settings.COMFYUI_PATH, settings.INPUTS_GB, log),
      imageMetadata: settings.IMAGE_METADATA,
      restartCommand: settings.COMFYUI_RESTART_COMMAND,
      modelsReady: settings.MODELS_READY,
      warmUp: settings.WARM_UP
        ? { graphs: graphsWithoutFiles(await loadTemplates(settings.WORKFLOWS_PATH)) }
        : undefined,
      ...(launchedAt !== undefined && {
        firstClaim: (own) => void reportStart(metrics, log, launchedAt, machine?.BOOT_REPORT, now(), own),
      }),
    },
    addresses,
  );
  const gpuHosts = running;
  const isWarm = async () => isKeptWarm(await fleetStore.readCached(), machineId, now());
  const retirement = machine && watch(gpuHosts, machine, isWarm, log);
  onStopSignal(async () => {
    await retirement?.stop();
    await gpuHosts.drain();
    await intake.close();
    await lock.release();
  });
  reportReady({ hostId: gpuHosts.all[0]!.hostId, port: intake.port });
} catch (error) {
  explainAndExit(error);
}

function watch(
  host: Retirable,
  machine: MachineSettings,
  isWarm: () => Promise<boolean>,
  log: Log,
): Retirement {
  const machines = createMachines({
    group: machine.AUTO_SCALING_GROUP,
    region: machine.AWS_REGION,
    endpoint: machine.AWS_ENDPOINT_URL_AUTO_SCALING,
  });
  return watchRetirement({
    host,
    instance: createInstanceMetadata(machine.AWS_EC2_METADATA_SERVICE_ENDPOINT),
    isWarm,
    end: () => machines.terminate(machine.INSTANCE_ID),
    idleLimit: machine.IDLE_MINUTES * 60_000,
    log,
  });
}
