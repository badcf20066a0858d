// Progress of a graph, from ComfyUI's WebSocket messages: one number over the whole graph, which never falls within an
// attempt, and the step of the running sampler.

import type { Progress } from './job.ts';
import type { Graph } from './object-info.ts';

/** The parts of ComfyUI's messages that are read here; see docs/comfyui.md, "On the wire". */
export type ProgressEvent =
  | { type: 'execution_cached'; data: { nodes: string[] } }
  | { type: 'executing'; data: { node: string | null } }
  | { type: 'progress'; data: { node: string; value: number; max: number } }
  | {
      type: 'progress_state';
      data: { nodes: Record<string, { value: number; max: number; state: string }> };
    };

const MAX_NODE_ID = 64;

export interface ProgressTracker {
  observe(event: ProgressEvent): void;
  current(): Progress;
}

/** @param start the progress of an adopted attempt */
export function trackProgress(graph: Graph, start?: Progress): ProgressTracker {
  // A sampler's weight is its number of steps, since sampling takes the time.
  const samplers = samplersOf(graph);
  const weights = new Map(Object.keys(graph).map((id) => [id, samplers.get(id) ?? 1]));
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  /** Node → share done, 0 to 1. */
  const done = new Map<string, number>();
  let running: string | undefined;
  let highest = start?.progress ?? 0;
  let currentStep = start?.currentStep ?? 0;
  let totalSteps = start?.totalSteps ?? 0;

  const raise = (node: string, share: number) => {
    // Custom nodes may report NaN or negative values: these are ignored.
    if (weights.has(node) && share >= 0) done.set(node, Math.max(done.get(node) ?? 0, Math.min(1, share)));
  };

  return {
    observe(event) {
      switch (event.type) {
        case 'execution_cached':
          for (const node of event.data.nodes) raise(node, 1);
          break;
        case 'executing':
          if (running !== undefined) raise(running, 1);
          running = event.data.node ?? undefined;
          break;
        case 'progress': {
          const { node, value, max } = event.data;
          if (max > 0) raise(node, value / max);
          if (value >= 0 && max > 0 && (samplers.size === 0 || samplers.has(node))) {
            currentStep = value;
            totalSteps = max;
          }
          break;
        }
        case 'progress_state':
          for (const [node, { value, max, state }] of Object.entries(event.data.nodes))
            raise(node, state === 'finished' ? 1 : max > 0 ? value / max : 0);
      }
    },
    current() {
      let sum = 0;
      for (const [node, share] of done) sum += share * (weights.get(node) ?? 0);
      // 1 means that the images are in the bucket.
      highest = Math.max(highest, Math.min(0.9999, round4(total > 0 ? sum / total : 0)));
      // A state is small: no node that its graph gave a long name is written there.
      const node = typeof running === 'string' && running.length <= MAX_NODE_ID ? running : undefined;
      return { progress: highest, currentStep, totalSteps, ...(node !== undefined && { node }) };
    },
  };
}

function round4(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

/**
 * Sampler → number of steps: its own, as for KSampler, or those of the scheduler behind its `sigmas`, as for
 * SamplerCustomAdvanced. Nodes that make or pass on sigmas do not sample.
 */
function samplersOf(graph: Graph): Map<string, number> {
  const sources = new Set(Object.values(graph).map(({ inputs }) => sigmasFrom(inputs)));
  const stepsOf = (id: string, seen: readonly string[]): number | undefined => {
    const inputs = graph[id]?.inputs;
    if (!inputs || seen.includes(id)) return undefined;
    const { steps } = inputs;
    if (typeof steps === 'number') return steps > 0 ? steps : undefined;
    const source = sigmasFrom(inputs);
    return source === undefined ? undefined : stepsOf(source, [...seen, id]);
  };
  return new Map(
    Object.keys(graph).flatMap((id): [string, number][] => {
      const steps = sources.has(id) ? undefined : stepsOf(id, []);
      return steps === undefined ? [] : [[id, steps]];
    }),
  );
}

function sigmasFrom(inputs: Record<string, unknown>): string | undefined {
  const link = inputs['sigmas'];
  return Array.isArray(link) ? String(link[0]) : undefined;
}
