// What a workflow file has that cannot become part of a graph, by node, with what to do. Nothing is left out of a graph
// without one of these.

export interface FileFault {
  code: FaultCode;
  /** In ComfyUI's way of counting within subgraphs: `57:3`. Absent: the whole file. */
  node?: string;
  /** The node's title, or its class. */
  title?: string;
  /** The node's class. */
  type?: string;
  input?: string;
  /** A sentence: what is wrong, and what to do. */
  message: string;
}

export type FaultCode =
  | 'unreadable'
  | 'no_workflow'
  | 'too_large'
  | 'bad_node'
  | 'bad_link'
  | 'circular'
  | 'missing_subgraph'
  | 'group_node'
  | 'unknown_node'
  | 'page_node'
  | 'not_sent';

/** The whole file cannot be read: no graph comes of it. */
export class UnreadableFile extends Error {
  constructor(readonly fault: FileFault) {
    super(fault.message);
  }
}

export function unreadable(code: FaultCode, message: string): UnreadableFile {
  return new UnreadableFile({ code, message });
}
