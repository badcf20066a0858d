// Owns what POST /prompt refuses: a graph against object_info, in ComfyUI's order and words.
// Refuses to run anything; throws PythonError where ComfyUI itself falls over (a 500, not a 400).
import { type Graph, isRecord } from './graph.ts';
import { type InputFileExists, judgeConstant, judgeLink, type Refusal, refusal } from './judge-input.ts';
import { declaredInputs, isOutputNode, nodeInfo } from './object-info.ts';
import { keyError, PythonError, str } from './python-text.ts';

export type NodeErrors = Record<
  string,
  { errors: Refusal[]; dependent_outputs: string[]; class_type: string }
>;
export type Validation =
  | { ok: true; graph: Graph; outputs: string[]; nodeErrors: NodeErrors }
  | { ok: false; error: Refusal; nodeErrors: NodeErrors };

type Verdict = { valid: boolean; errors: Refusal[] };

/** Converts constants in place, as ComfyUI does: "20" for an INT becomes 20. */
export function validatePrompt(prompt: unknown, inputFileExists: InputFileExists): Validation {
  const outputs: string[] = [];
  for (const [id, node] of nodesOf(prompt)) {
    const missing = typeof node === 'string' ? !node.includes('class_type') : !has(node, 'class_type');
    if (missing) return invalid(id, 'Cannot execute because a node is missing the class_type property.');
    if (!isRecord(node)) throw new PythonError('TypeError', 'string indices must be integers');
    const className = node['class_type'];
    if (typeof className === 'object' && className !== null) throw new PythonError('TypeError', 'unhashable');
    if (typeof className !== 'string' || nodeInfo(className) === undefined)
      return invalid(id, `Cannot execute because node ${str(className)} does not exist.`);
    if (isOutputNode(className)) outputs.push(id);
  }
  if (outputs.length === 0)
    return { ok: false, error: refusal('prompt_no_outputs', 'Prompt has no outputs', ''), nodeErrors: {} };
  return judgeOutputs(prompt as Graph, outputs, inputFileExists);
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

const invalid = (id: string, message: string): Validation => ({
  ok: false,
  error: refusal('invalid_prompt', message, `Node ID '#${id}'`),
  nodeErrors: {},
});

function judgeOutputs(graph: Graph, outputs: string[], inputFileExists: InputFileExists): Validation {
  const verdicts = new Map<string, Verdict>();
  const nodeErrors: NodeErrors = {};
  const good: string[] = [];
  const details: string[] = [];
  for (const output of outputs) {
    let verdict: Verdict;
    try {
      verdict = judgeNode(graph, output, verdicts, inputFileExists, new Set());
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

function judgeNode(
  graph: Graph,
  id: string,
  verdicts: Map<string, Verdict>,
  inputFileExists: InputFileExists,
  above: Set<string>,
): Verdict {
  const known = verdicts.get(id);
  if (known !== undefined) return known;
  if (above.has(id)) throw new PythonError('RecursionError', 'maximum recursion depth exceeded');
  above.add(id);
  const node = graph[id]!;
  if (!isRecord(node.inputs)) throw keyError('inputs');
  const verdict: Verdict = { valid: true, errors: [] };
  for (const input of declaredInputs(node.class_type)) {
    if (!Object.hasOwn(node.inputs, input.name)) {
      if (input.required)
        verdict.errors.push(
          refusal('required_input_missing', 'Required input is missing', input.name, {
            input_name: input.name,
          }),
        );
    } else if (Array.isArray(node.inputs[input.name])) {
      const link = node.inputs[input.name] as unknown[];
      const error = judgeLink(graph, input, link);
      if (error !== undefined) {
        verdict.errors.push(error);
        continue;
      }
      const from = link[0] as string;
      try {
        if (!judgeNode(graph, from, verdicts, inputFileExists, above).valid) verdict.valid = false;
      } catch (raise) {
        verdict.valid = false;
        const extra = { input_name: input.name, input_config: input.config, linked_node: link };
        const errors = [raised('exception_during_inner_validation', 'inner node', raise, extra)];
        verdicts.set(from, { valid: false, errors });
      }
    } else {
      const error = judgeConstant(node, input, inputFileExists);
      if (error !== undefined) verdict.errors.push(error);
    }
  }
  if (verdict.errors.length > 0) verdict.valid = false;
  above.delete(id);
  verdicts.set(id, verdict);
  return verdict;
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
