// The state of one check: what is known of each node, and the way to the one that is looked at.

import type { Graph, ObjectInfo } from '../object-info.ts';
import type { Reason } from './answer.ts';
import type { HasFile } from './files.ts';

export interface Verdict {
  valid: boolean;
  reasons: Reason[];
  /** Nodes in the longest chain that ends here. */
  height: number;
}

export interface Walk {
  graph: Graph;
  info: ObjectInfo;
  hasFile: HasFile;
  /** Is a model file that a list does not have no error? */
  mayHaveMore: boolean;
  verdicts: Map<string, Verdict>;
  /** Node → the nodes that its links lead to. */
  sources: Map<string, Set<string>>;
  /** The nodes between an output and the current one. */
  path: string[];
  visit(id: string): Verdict;
}
