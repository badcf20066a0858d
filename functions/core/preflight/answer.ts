// ComfyUI's answer to `POST /prompt`, as it writes it: the shapes and the texts of its reasons. Source: validate_prompt and
// validate_inputs in execution.py of 0.33.0; docs/comfyui.md.

/** One entry of `errors`, and the whole graph's `error`. */
export interface Reason {
  type: string;
  message: string;
  details: string;
  extra_info: Record<string, unknown>;
}

/** What is wrong with one node. */
export interface NodeProblems {
  errors: Reason[];
  /** The refused output nodes that depend on it, in the graph's order. */
  dependent_outputs: string[];
  class_type: string;
}

/** Node id → its problems. */
export type NodeErrors = Record<string, NodeProblems>;

export interface Answer {
  /** Of the whole graph: none of it runs. Null: at least one output runs. */
  error: Reason | null;
  node_errors: NodeErrors;
  /** The output nodes that run. */
  outputs: string[];
}

/** What Python would raise; its text is part of the answer, and so is `hint`, which ComfyUI does not give. */
export class PythonError extends Error {
  constructor(
    readonly type: string,
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** A graph that ComfyUI would answer with 500, or that is refused before a ComfyUI sees it. */
export type Refusal = 'workflow_format_ui' | 'invalid_prompt' | 'prompt_too_large';

export function refusal(type: Refusal, message: string, details = '', nodeId?: string): Reason {
  return { type, message, details, extra_info: nodeId === undefined ? {} : { node_id: nodeId } };
}

export function refused(error: Reason, nodeErrors: NodeErrors = {}): Answer {
  return { error, node_errors: nodeErrors, outputs: [] };
}
