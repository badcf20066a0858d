// What stands beside a run's input and becomes part of its job: it is kept to, whatever the job is made of.

import { invalid } from '../../core/inputs.ts';
import { stringifyJson } from '../../core/json.ts';
import { hashBytes, type JobRequest } from '../../core/request.ts';
import type { Wanted } from '../admission/accept.ts';

export type RunOptions = Pick<JobRequest, 'runLimit' | 'priority' | 'webhookUrl' | 'webhookAs'>;

/** The same with its options; its check refuses those that say another thing than the input. */
export function withOptions(wanted: Wanted, options: RunOptions): Wanted {
  if (Object.keys(options).length === 0) return wanted;
  return {
    ...wanted,
    bodyHash: hashBytes(Buffer.from(stringifyJson([wanted.bodyHash, options]))),
    async check(templates) {
      const { request, graph } = await wanted.check(templates);
      if (options.priority && (request.priority ?? options.priority) !== options.priority)
        throw invalid('policy.lowPriority', 'says another thing than input.priority');
      if (options.webhookUrl !== undefined && request.webhookUrl !== undefined)
        throw invalid('webhook', 'is one of two: a job has one webhook; leave it or input.webhook_url out');
      return { request: { ...request, ...options }, graph };
    },
  };
}
