// What a node is called with, and what it returns.
import type { NodeInfo } from './catalogue.ts';
import type { Folders } from './folders.ts';
import type { Graph } from './graph.ts';
import type { Inputs } from './sizes.ts';
import type { Value } from './value.ts';

export interface NodeCall {
  className: string;
  info: NodeInfo;
  inputs: Inputs;
  signature: string;
  folders: Folders;
  stepMs: number;
  /** 0.33. */
  newer: boolean;
  previews: boolean;
  /** The graph that SaveImage writes into its file. */
  graph: Graph;
  extraPngInfo: Record<string, unknown>;
  /** Resolves after this much simulated work; rejects when the prompt is interrupted. */
  work(ms: number): Promise<void>;
  /** Resolves when this checkpoint is in memory; rejects likewise. */
  load(checkpoint: string): Promise<void>;
  progress(value: number, max: number, preview?: () => Buffer): void;
}
export interface NodeResult {
  outputs: Value[];
  ui?: Record<string, unknown>;
}
