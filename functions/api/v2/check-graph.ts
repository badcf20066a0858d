// Whether a caller's graph may become a job: its shape, and what the hosts of this moment say to it.

import type { Graph } from '../../core/object-info.ts';
import { type NodeErrors, preflight, type Reason } from '../../core/preflight/preflight.ts';
import { misshapen } from '../../core/preflight/shape.ts';
import type { Fleet } from '../caches/fleet.ts';
import { V2Error } from './errors.ts';

/** What the contract says of a node: which field, and why. */
interface NodeProblem {
  field: string | null;
  reason: string;
  message: string;
}
type NodeProblems = Record<string, NodeProblem[]>;

/** @throws V2Error invalid_workflow, workflow_format_ui */
export function graphOf(workflow: unknown): Graph {
  const odd = misshapen(workflow);
  if (odd?.type === 'workflow_format_ui')
    throw new V2Error(422, 'workflow_format_ui', [odd.message, odd.details].join('; '));
  if (odd) throw invalidWorkflow([odd.message, odd.details].filter(Boolean).join('; '));
  const nodes = Object.entries(workflow as object);
  if (nodes.length === 0) throw invalidWorkflow('The graph has no nodes');
  const problems: NodeProblems = {};
  for (const [id, node] of nodes) {
    const { class_type: classType, inputs } = node as { class_type?: unknown; inputs?: unknown };
    if (typeof classType !== 'string') problems[id] = [problem('class_type', 'must be a text')];
    else if (inputs === undefined) problems[id] = [problem('inputs', 'must be an object')];
  }
  refuse(problems, workflow as Graph);
  return workflow as Graph;
}

const problem = (field: string, message: string) => ({ field, reason: 'invalid_node', message });

/**
 * While no host is alive the last ones count, but for what another may have more; while none was ever, only the shape.
 * @param isStaged of fields ("node.field") whose files come with the job: no host lists them yet
 * @throws V2Error invalid_workflow
 */
export async function checkGraph(
  fleet: Fleet,
  graph: Graph,
  isStaged: (target: string) => boolean,
): Promise<void> {
  const { hosts, mayHaveMore } = await fleet.declarations();
  const { error, node_errors: nodeErrors } = preflight(graph, hosts, { mayHaveMore });
  const problems = problemsOf(nodeErrors, isStaged);
  // A graph of which only a part runs would end as a failed job.
  refuse(problems, graph);
  if (error !== null && Object.keys(nodeErrors).length === 0) throw wholeGraph(error);
}

function problemsOf(nodeErrors: NodeErrors, isStaged: (target: string) => boolean): NodeProblems {
  const problems: NodeProblems = {};
  for (const [id, { errors }] of Object.entries(nodeErrors)) {
    const left = errors.filter(({ extra_info: extra }) => !isStaged(`${id}.${String(extra['input_name'])}`));
    if (left.length > 0) problems[id] = left.map(problemOf);
  }
  return problems;
}

function problemOf({ type, message, details, extra_info: extra }: Reason): NodeProblem {
  const field = extra['input_name'];
  return {
    field: typeof field === 'string' ? field : null,
    reason: type,
    message: [message, details].filter(Boolean).join(': '),
  };
}

/** Names the first node, as the contract's example does. */
function refuse(problems: NodeProblems, graph: Graph): void {
  const [first] = Object.entries(problems);
  if (!first) return;
  const [id, [{ message } = { message: '' }]] = first;
  const classType = graph[id]?.class_type;
  throw invalidWorkflow(
    `Node ${id}${typeof classType === 'string' ? ` (${classType})` : ''}: ${message}`,
    problems,
  );
}

function wholeGraph(error: Reason): V2Error {
  const id = error.extra_info['node_id'];
  return invalidWorkflow(
    [error.message, error.details].filter(Boolean).join('; '),
    typeof id === 'string' ? { [id]: [problemOf(error)] } : undefined,
  );
}

export function invalidWorkflow(message: string, nodeErrors?: NodeProblems): V2Error {
  return new V2Error(422, 'invalid_workflow', message, nodeErrors && { node_errors: nodeErrors });
}
