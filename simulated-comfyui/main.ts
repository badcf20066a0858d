// Owns running the simulated ComfyUI as a process of its own, set by its environment.
// Refuses to outlive its parent, and a version that it does not speak.
import { versions } from './catalogue.ts';
import { parseFaults } from './faults.ts';
import { startSimulatedComfyUI } from './server.ts';

const {
  SIMULATED_COMFYUI_VERSION,
  SIMULATED_STEP_MS,
  SIMULATED_PREVIEWS,
  SIMULATED_FAULTS,
  PORT,
  DIRECTORY,
} = process.env;

const version = versions.find((one) => one === (SIMULATED_COMFYUI_VERSION || '0.33'));
if (version === undefined) throw new Error(`SIMULATED_COMFYUI_VERSION must be ${versions.join(' or ')}`);

// A reader of the output may go first: without a listener the next line would end the process.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
const simulated = await startSimulatedComfyUI({
  version,
  stepMs: Number(SIMULATED_STEP_MS || 80),
  port: Number(PORT || 0),
  directory: DIRECTORY || undefined,
  previews: SIMULATED_PREVIEWS === '1',
  faults: parseFaults(SIMULATED_FAULTS || '{}'),
});

// The parent ended meanwhile.
if (process.send && !process.connected) process.exit(0);

const stop = () => void simulated.close().then(() => process.exit(0));
// Signals reach the whole group (Ctrl-C, systemd, a terminal that closes): where there is a parent, it decides when this
// ends.
const onSignal = process.send ? () => undefined : stop;
process.on('SIGTERM', onSignal);
process.on('SIGINT', onSignal);
process.on('SIGHUP', onSignal);
if (process.send) process.once('disconnect', stop);

const started = { url: simulated.url };
// A parent that ends at this moment takes no message; the channel's end comes after it.
process.send?.(started, undefined, undefined, () => undefined);
process.stdout.write(`${JSON.stringify(started)}\n`);
