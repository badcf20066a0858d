// The turn of a job that is about to be accepted, by its priority and its owner's other jobs. Without priorities nothing is
// read for it.

import { JOB_EXPIRES_AFTER } from '../../core/limits.ts';
import { type Priority, startTagAlone } from '../../core/priority.ts';
import { takeTurn, type Turn } from '../../queue/turns.ts';
import type { Jobs } from '../../store/jobs.ts';

export interface NewJob {
  owner: string;
  priority: Priority;
  now: number;
  /** Undefined: the API asks for no keys, and all jobs are one owner's. */
  startTag: number | undefined;
  /** When its owner sent its last job of low priority. */
  lowAt: number | undefined;
}

export async function turnOf(jobs: Jobs, { owner, priority, now, startTag, lowAt }: NewJob): Promise<Turn> {
  if (startTag === undefined) return { startTag: startTagAlone(now, priority) };
  const mayHaveLower =
    priority === 'high' || (priority === 'normal' && lowAt !== undefined && now - lowAt < JOB_EXPIRES_AFTER);
  return mayHaveLower ? takeTurn(jobs, { owner, priority, startTag }) : { startTag };
}
