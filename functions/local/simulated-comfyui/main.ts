// Owns running the simulated ComfyUI as a process of its own, set by its environment.
// Refuses to outlive its parent.
import { outliveReaders } from '../../process/exit.ts';
import { startSimulatedComfyUI } from './server.ts';

const { SIMULATED_STEP_MS, SIMULATED_PREVIEWS, PORT, DIRECTORY } = process.env;

outliveReaders();
const simulated = await startSimulatedComfyUI({
  stepMs: Number(SIMULATED_STEP_MS || 80),
  port: Number(PORT || 0),
  directory: DIRECTORY || undefined,
  previews: SIMULATED_PREVIEWS === '1',
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
