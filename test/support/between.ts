// What may stand between a host and its ComfyUI, and answer in its place: a proxy, or ComfyUI's own bad moment.

import { TIMINGS } from '../../functions/core/timings.ts';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { type Proxy, startProxy } from './proxy.ts';
import { type Rig, startRig } from './rig.ts';

export interface Between extends Proxy {
  /** As the simulated one, at the address of what stands before it. */
  comfyui: SimulatedComfyUI;
}

async function standBetween(comfyui: SimulatedComfyUI): Promise<Between> {
  const proxy = await startProxy(comfyui.url);
  return Object.assign(proxy, {
    comfyui: Object.create(comfyui, { url: { value: proxy.url } }) as SimulatedComfyUI,
  });
}

export interface RigBetween extends Rig {
  simulated: SimulatedComfyUI;
  between: Between;
}

/** A rig without hosts, and what stands before the simulated ComfyUI of the host that a test adds. */
export async function startBetween(timings = TIMINGS): Promise<RigBetween> {
  const rig = await startRig({ workflows: 'test/workflows', timings });
  const simulated = await startSimulatedComfyUI({ stepMs: 5 });
  const between = await standBetween(simulated);
  return {
    ...rig,
    simulated,
    between,
    async close() {
      between.answer = () => false;
      await rig.close();
      await between.close();
      await simulated.close();
    },
  };
}
