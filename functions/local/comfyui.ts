// Chooses the ComfyUI: a real one that is configured, that answers, or that this workspace has worked with before; else
// the simulated one. Source: docs/settings.md.

import { createConnection } from 'node:net';
import { createComfyUI, isSimulated } from '../comfyui/client.ts';
import { comfyuiAddressesOf } from '../config/comfyui.ts';
import type { LocalSettings } from '../config/local.ts';
import type { ComfyUIAddress } from '../core/comfyui-address.ts';
import type { ComfyUIKind } from '../core/job-state.ts';
import { problemOfFolder } from '../host/prompts/cleanup.ts';
import type { Log } from '../log.ts';
import { startChild } from './child.ts';
import { programOf } from './programs.ts';

export interface ChosenComfyUI extends ComfyUIAddress {
  /** Which jobs it runs: a configured ComfyUI counts as real, whatever its system_stats say. */
  kind: ComfyUIKind;
  /** Whether its system_stats say so. */
  simulated: boolean;
  /** Whether it answered when it was chosen; a configured ComfyUI may start later. */
  answers: boolean;
  /** ComfyUI's folder, if it is on this machine. */
  path?: string | undefined;
  /** What the banner says about the choice. */
  note?: string;
  stop(): Promise<void>;
}

const PROBE_TIMEOUT = 1000;
const PROBES = 2;

/** What is known before any of them is up. */
export interface Choice extends Pick<ChosenComfyUI, 'kind' | 'path'> {
  /**
   * Resolves when they were asked, or the simulated one is up. At least one; several where COMFYUI_URLS has them.
   * @throws AppError where the simulated one does not come up
   */
  comfyuis: Promise<ChosenComfyUI[]>;
}

/** @param usedReal whether this workspace has worked with a real ComfyUI: its jobs do not go to a simulated one */
export async function chooseComfyUIs(settings: LocalSettings, usedReal: boolean, log: Log): Promise<Choice> {
  const { COMFYUI_MODE: mode, COMFYUI_HOST: host, COMFYUI_URLS: urls } = settings;
  const isNamed = host !== undefined || urls !== undefined;
  const addresses = comfyuiAddressesOf(settings);
  const meant = isNamed || mode === 'real' || usedReal;
  const probing = async () => Promise.all(addresses.map((address) => probe(address, meant)));
  if (mode !== 'simulated') {
    const path = settings.COMFYUI_PATH;
    if (meant) return { kind: 'real', path, comfyuis: probing().then(realOnes) };
    const probed = await probing();
    if (!probed.includes('absent')) return { kind: 'real', path, comfyuis: realOnes(probed) };
  }
  const path = `${settings.WORKSPACE_PATH}/simulated-comfyui`;
  return { kind: 'simulated', path, comfyuis: startSimulated(settings, path, log).then((one) => [one]) };

  async function realOnes(probed: Probed[]): Promise<ChosenComfyUI[]> {
    const problem = await problemOfFolder(settings.COMFYUI_PATH);
    return addresses.map((address, index) => {
      const stats = typeof probed[index] === 'object' ? probed[index] : undefined;
      // The folder is that of all of them.
      const note = (index === 0 ? problem : undefined) ?? (stats ? undefined : whyNoPlaceholders());
      return {
        ...address,
        kind: 'real',
        simulated: stats !== undefined && isSimulated(stats),
        answers: stats !== undefined,
        path: settings.COMFYUI_PATH,
        ...(note !== undefined && { note }),
        stop: () => Promise.resolve(),
      };
    });
  }

  function whyNoPlaceholders(): string | undefined {
    if (isNamed || mode === 'real') return undefined;
    const why = usedReal
      ? 'This workspace has worked with a real ComfyUI'
      : 'A program takes connections there and does not answer';
    return `${why}; for placeholders: COMFYUI_MODE=simulated`;
  }
}

/** @throws AppError if it ends before it is up */
async function startSimulated(settings: LocalSettings, path: string, log: Log): Promise<ChosenComfyUI> {
  const child = await startChild<{ url: string }>(
    'the simulated ComfyUI',
    programOf('simulated-comfyui'),
    {
      // Of a real one they are asked for by its option --preview-method.
      SIMULATED_PREVIEWS: '1',
      ...process.env,
      SIMULATED_STEP_MS: String(settings.SIMULATED_STEP_MS),
      SIMULATED_COMFYUI_VERSION: settings.SIMULATED_COMFYUI_VERSION,
      PORT: '0',
      DIRECTORY: path,
    },
    log,
    (ready) => ({ PORT: new URL(ready.url).port }),
  );
  return {
    url: child.ready.url,
    headers: {},
    kind: 'simulated',
    simulated: true,
    answers: true,
    path,
    stop: () => child.stop(),
  };
}

type Probed = Awaited<ReturnType<ReturnType<typeof createComfyUI>['systemStats']>> | 'silent' | 'absent';

/**
 * `silent`: the port accepts the connection but does not answer, like a ComfyUI that loads a model; `absent`: the
 * connection fails, or what answers is not ComfyUI.
 */
async function probe(address: ComfyUIAddress, meant: boolean): Promise<Probed> {
  for (let tries = 0; ; tries += 1) {
    const stats = await createComfyUI(address)
      .systemStats(PROBE_TIMEOUT)
      .catch((error: Error) => error);
    if (!(stats instanceof Error)) return stats;
    const { cause } = stats as { cause?: { name?: string } };
    if (cause?.name !== 'TimeoutError') return 'absent';
    // A port whose packets a firewall drops times out as well.
    if (!meant && !(await takesConnections(address))) return 'absent';
    if (meant || tries + 1 >= PROBES) return 'silent';
  }
}

function takesConnections({ url }: ComfyUIAddress): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve) => {
    const socket = createConnection({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
      timeout: PROBE_TIMEOUT,
    });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
