// Which ComfyUI: the real one that is meant or that answers, else a simulated one that says so.
// Source: design/rest-api.md, "Environment".

import { createComfyUI, isSimulated } from '../comfyui/client.ts';
import type { LocalSettings } from '../config.ts';
import type { Log } from '../log.ts';
import { startChild } from './child.ts';
import { programOf } from './programs.ts';

export interface ChosenComfyUI {
  url: string;
  simulated: boolean;
  /** At the moment of choice; a real one that is meant may come later. */
  answers: boolean;
  /** Its folder, where it is within reach. */
  path?: string | undefined;
  stop(): Promise<void>;
}

const PROBE_TIMEOUT = 1000;

export async function chooseComfyUI(settings: LocalSettings, log: Log): Promise<ChosenComfyUI> {
  const { COMFYUI_MODE: mode, COMFYUI_HOST: host, COMFYUI_PORT: port } = settings;
  const url = `http://${host ?? '127.0.0.1'}:${port}`;
  if (mode !== 'simulated') {
    const stats = await createComfyUI(url)
      .systemStats(PROBE_TIMEOUT)
      .catch(() => undefined);
    if (stats || host !== undefined || mode === 'real') {
      const simulated = stats !== undefined && isSimulated(stats);
      return {
        url,
        simulated,
        answers: stats !== undefined,
        path: settings.COMFYUI_PATH,
        stop: () => Promise.resolve(),
      };
    }
  }
  const path = `${settings.WORKSPACE_PATH}/simulated-comfyui`;
  const child = await startChild<{ url: string }>(
    'the simulated ComfyUI',
    programOf('simulated-comfyui'),
    {
      ...process.env,
      SIMULATED_STEP_MS: String(settings.SIMULATED_STEP_MS),
      PORT: '0',
      DIRECTORY: path,
    },
    log,
    (ready) => ({ PORT: new URL(ready.url).port }),
  );
  return { url: child.ready.url, simulated: true, answers: true, path, stop: () => child.stop() };
}
