// An owner's stored record: its own limits, its token bucket and the start tag of its last job.

import type { OwnLimits } from './quota.ts';
import type { LastStartTag } from './start-tag.ts';

/** Times in ms, the tables' clock. */
export interface Owner extends OwnLimits {
  owner: string;
  /** When its bucket will be full again. */
  fullAt?: number;
  /** The last start tag that the owner was given, and when. */
  startTag?: number;
  startTagAt?: number;
  /** When its last job of low priority came: until that can wait no longer, later ones may go before it. */
  lowAt?: number;
}

/** Undefined: the owner has had none. */
export function lastStartTagOf({ startTag, startTagAt }: Owner): LastStartTag | undefined {
  return startTag === undefined || startTagAt === undefined ? undefined : { startTag, at: startTagAt };
}
