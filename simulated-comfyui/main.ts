#!/usr/bin/env node
// Runs the simulated ComfyUI as its own process, set by its environment.
// Ends with its parent; refuses a version that it does not simulate.
import { versions } from './catalogue.ts';
import { parseFaults } from './faults.ts';
import { startSimulatedComfyUI } from './server.ts';

const {
  SIMULATED_COMFYUI_VERSION,
  SIMULATED_STEP_MS,
  SIMULATED_PREVIEWS,
  SIMULATED_CHECKPOINTS,
  SIMULATED_LOAD_MS,
  SIMULATED_FAULTS,
  PORT,
  DIRECTORY,
} = process.env;

const version = versions.find((one) => one === (SIMULATED_COMFYUI_VERSION || '0.33'));
if (version === undefined) throw new Error(`SIMULATED_COMFYUI_VERSION must be ${versions.join(' or ')}`);

// A reader of the output may close first: without a listener the next line would end the process.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
const simulated = await startSimulatedComfyUI({
  version,
  stepMs: Number(SIMULATED_STEP_MS || 80),
  port: Number(PORT || 0),
  directory: DIRECTORY || undefined,
  previews: SIMULATED_PREVIEWS === '1',
  checkpoints: (SIMULATED_CHECKPOINTS ?? '').split(',').filter((name) => name !== ''),
  loadMs: Number(SIMULATED_LOAD_MS || 0),
  faults: parseFaults(SIMULATED_FAULTS || '{}'),
});

// The parent ended during the start.
if (process.send && !process.connected) process.exit(0);

const stop = () => void simulated.close().then(() => process.exit(0));
// Signals reach the whole process group (Ctrl-C, systemd, a terminal that closes): a parent, if there is one, decides
// when this ends.
const onSignal = process.send ? () => undefined : stop;
process.on('SIGTERM', onSignal);
process.on('SIGINT', onSignal);
process.on('SIGHUP', onSignal);
if (process.send) process.once('disconnect', stop);
// npm and npx pass a signal on to the shell that they run a program by, which ends without it (npm 11.19.1 with dash): the
// end of that shell is the signal.
const shell = process.ppid;
if (!process.send && process.env['npm_lifecycle_event'] !== undefined)
  setInterval(() => process.ppid !== shell && stop(), 500).unref();

const started = { url: simulated.url };
// The send fails if the parent ends at this moment; the channel closes after it.
process.send?.(started, undefined, undefined, () => undefined);
process.stdout.write(`${JSON.stringify(started)}\n`);
