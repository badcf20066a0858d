// An output that cannot be published as it is: its job fails, with the node and the file in the reason.

import type { Failure } from '../../core/job-state.ts';
import type { OutputFile } from '../../core/outcome.ts';

/** An output that is none of this job's; retrying does not help. */
export class UnfitOutput extends Error {
  override readonly name = 'UnfitOutput';
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

/** @param what completes "…, which" */
export function unfit(
  { node, filename }: Pick<OutputFile, 'node' | 'filename'>,
  what: string,
  code: Failure['code'] = 'bad_output',
) {
  const message = `Node ${node} saved ${filename.slice(0, 100)}, which ${what}`;
  return new UnfitOutput({ code, message: message.slice(0, 500) });
}
