// The refusals of POST /prompt: checks a graph against object_info, in ComfyUI's order and words.
// Runs nothing; throws PythonError where ComfyUI itself fails (a 500, not a 400).
import type { Dialect } from './dialect.ts';
import { type Graph, isRecord } from './graph.ts';
import { type InputFileExists, judgeConstant, judgeLink, type Refusal, refusal } from './judge-input.ts';
import { keyError, PythonError, str } from './python-text.ts';

export type NodeErrors = Record<
  string,
  { errors: Refusal[]; dependent_outputs: string[]; class_type: string }
>;
export type Validation =
  | { ok: true; graph: Graph; outputs: string[]; nodeErrors: NodeErrors }
  | { ok: false; error: Refusal; nodeErrors: NodeErrors };

type Verdict = { valid: boolean; errors: Refusal[] };

interface Judging {
  graph: Graph;
  dialect: Dialect;
  inputFileExists: InputFileExists;
  verdicts: Map<string, Verdict>;
}

/**
 * Converts constants in place, as ComfyUI does: "20" for an INT becomes 20.
 * @param targets the only outputs to run; null: all
 */
export function validatePrompt(
  prompt: unknown,
  dialect: Dialect,
  inputFileExists: InputFileExists,
  targets: unknown[] | null,
): Validation {
  const outputs: string[] = [];
  for (const [id, node] of nodesOf(prompt)) {
    const missing = typeof node === 'string' ? !node.includes('class_type') : !has(node, 'class_type');
    if (missing) return withoutClass(id, node, dialect);
    if (!isRecord(node)) throw new PythonError('TypeError', 'string indices must be integers');
    const className = node['class_type'];
    if (typeof className === 'object' && className !== null) throw new PythonError('TypeError', 'unhashable');
    if (typeof className !== 'string' || dialect.catalogue.node(className) === undefined)
      return ofUnknownClass(id, node, dialect);
    if (dialect.catalogue.isOutput(className) && (targets?.includes(id) ?? true)) outputs.push(id);
  }
  if (outputs.length === 0)
    return { ok: false, error: refusal('prompt_no_outputs', 'Prompt has no outputs', ''), nodeErrors: {} };
  return judgeOutputs({ graph: prompt as Graph, dialect, inputFileExists, verdicts: new Map() }, outputs);
}

function nodesOf(prompt: unknown): [string, unknown][] {
  if (isRecord(prompt)) return Object.entries(prompt);
  if (prompt === '' || (Array.isArray(prompt) && prompt.length === 0)) return [];
  throw new PythonError('TypeError', 'the prompt is no object');
}

function has(node: unknown, key: string): boolean {
  if (isRecord(node)) return Object.hasOwn(node, key);
  if (Array.isArray(node)) return node.includes(key);
  throw new PythonError('TypeError', `argument of type '${typeof node}' is not iterable`);
}

function withoutClass(id: string, node: unknown, { newer }: Dialect): Validation {
  if (!newer)
    return invalid('invalid_prompt', 'Cannot execute because a node is missing the class_type property.', id);
  const title = titleOf(node, null);
  const named = str(title || `ID #${id}`);
  const message = `Node '${named}' has no class_type. The workflow may be corrupted or a custom node is missing.`;
  return invalid('missing_node_type', message, id, { node_id: id, class_type: null, node_title: title });
}

function ofUnknownClass(id: string, node: Record<string, unknown>, { newer }: Dialect): Validation {
  const { class_type } = node;
  if (!newer)
    return invalid('invalid_prompt', `Cannot execute because node ${str(class_type)} does not exist.`, id);
  const node_title = titleOf(node, class_type);
  const message = `Node '${str(node_title)}' not found. The custom node may not be installed.`;
  return invalid('missing_node_type', message, id, { node_id: id, class_type, node_title });
}

function titleOf(node: unknown, otherwise: unknown): unknown {
  if (!isRecord(node)) throw new PythonError('AttributeError', "no attribute 'get'");
  const meta = node['_meta'] ?? {};
  if (!isRecord(meta)) throw new PythonError('AttributeError', "no attribute 'get'");
  return 'title' in meta ? meta['title'] : otherwise;
}

const invalid = (type: string, message: string, id: string, extra = {}): Validation => ({
  ok: false,
  error: refusal(type, message, `Node ID '#${id}'`, extra),
  nodeErrors: {},
});

function judgeOutputs(judging: Judging, outputs: string[]): Validation {
  const { graph, verdicts } = judging;
  const nodeErrors: NodeErrors = {};
  const good: string[] = [];
  const details: string[] = [];
  for (const output of outputs) {
    let verdict: Verdict;
    try {
      verdict = judgeNode(judging, output, []);
    } catch (error) {
      verdict = { valid: false, errors: [raised('exception_during_validation', 'node', error, {})] };
      verdicts.set(output, verdict);
    }
    if (verdict.valid) {
      good.push(output);
      continue;
    }
    details.push(...verdict.errors.map((error) => `${error.message}: ${error.details}`));
    for (const [id, { valid, errors }] of verdicts) {
      if (valid || errors.length === 0) continue;
      nodeErrors[id] ??= { errors, dependent_outputs: [], class_type: graph[id]!.class_type };
      nodeErrors[id].dependent_outputs.push(output);
    }
  }
  if (good.length > 0) return { ok: true, graph, outputs: good, nodeErrors };
  const message = 'Prompt outputs failed validation';
  const error = refusal('prompt_outputs_failed_validation', message, details.join('\n'));
  return { ok: false, error, nodeErrors };
}

/** @param above the nodes on the path to this one */
function judgeNode(judging: Judging, id: string, above: string[]): Verdict {
  const { graph, dialect, inputFileExists, verdicts } = judging;
  const known = verdicts.get(id);
  if (known !== undefined) return known;
  if (above.includes(id)) return judgeCycle(judging, id, above);
  const node = graph[id]!;
  if (!isRecord(node.inputs)) throw keyError('inputs');
  const verdict: Verdict = { valid: true, errors: [] };
  for (const input of dialect.catalogue.inputsOf(node.class_type)) {
    if (!Object.hasOwn(node.inputs, input.name)) {
      if (input.required)
        verdict.errors.push(
          refusal('required_input_missing', 'Required input is missing', input.name, {
            input_name: input.name,
          }),
        );
    } else if (Array.isArray(node.inputs[input.name])) {
      const link = node.inputs[input.name] as unknown[];
      const error = judgeLink(graph, dialect, input, link);
      if (error !== undefined) {
        verdict.errors.push(error);
        continue;
      }
      const from = link[0] as string;
      try {
        if (!judgeNode(judging, from, [...above, id]).valid) verdict.valid = false;
      } catch (raise) {
        verdict.valid = false;
        const extra = { input_name: input.name, input_config: input.config, linked_node: link };
        const errors = [raised('exception_during_inner_validation', 'inner node', raise, extra)];
        verdicts.set(from, { valid: false, errors });
      }
    } else {
      const error = judgeConstant(node, dialect, input, inputFileExists);
      if (error !== undefined) verdict.errors.push(error);
    }
  }
  // Adds the errors of a cycle through this node.
  verdict.errors.unshift(...(verdicts.get(id)?.errors ?? []));
  if (verdict.errors.length > 0) verdict.valid = false;
  verdicts.set(id, verdict);
  return verdict;
}

/** 0.8 overflows its stack and loses the errors that it has found: the graph is refused without a reason. */
function judgeCycle({ graph, dialect, verdicts }: Judging, id: string, above: string[]): Verdict {
  if (!dialect.newer) return { valid: false, errors: [] };
  const nodes = above.slice(above.indexOf(id));
  const path = [...nodes, id].map((node) => `${node} (${graph[node]!.class_type})`).join(' -> ');
  for (const node_id of nodes) {
    const about = { node_id, cycle_nodes: nodes };
    const errors = [refusal('dependency_cycle', 'Dependency cycle detected', path, about)];
    verdicts.set(node_id, { valid: false, errors });
  }
  return verdicts.get(id)!;
}

function raised(type: string, what: string, error: unknown, extra: Record<string, unknown>): Refusal {
  if (!(error instanceof PythonError)) throw error;
  const inner = Object.keys(extra).length > 0 ? { ...extra, exception_message: error.message } : {};
  return refusal(type, `Exception when validating ${what}`, error.message, {
    ...inner,
    exception_type: error.pythonType,
    traceback: ['  File "simulated-comfyui/validation.ts", in judgeNode\n'],
  });
}
