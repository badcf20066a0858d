// A job as a tool's result: what it is as JSON, its files as content where they are small enough, and a link to each. No
// `structuredContent`: Claude Code passes a model that alone and drops the images beside it (its issues 54737 and 79944).

import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/server';
import { hasEnded, type Job, type JobOutput, type JobState, kindOfOutput } from '../../core/job.ts';
import { jobView, outputView } from '../../core/job-view.ts';
import { stringifyJson } from '../../core/json.ts';
import { wholeOutput } from '../http/whole-output.ts';
import { originOf } from '../http/link-origin.ts';
import { linkOfOutput } from '../http/output-link.ts';
import type { Call, McpDeps } from './deps.ts';

/** In base64 5 MB, the most that Claude takes of one image; and Lambda's answers have 6. */
const INLINE_BYTES = 3_932_160;

export async function jobResult(
  deps: McpDeps,
  { c }: Pick<Call, 'c'>,
  job: Job,
  inline: boolean,
): Promise<CallToolResult> {
  const { state } = job;
  const origin = originOf(deps.settings, c);
  const outputs = state.status === 'completed' ? (state.outputs ?? []) : [];
  const files: ContentBlock[] = [];
  const views: object[] = [];
  let left = inline ? INLINE_BYTES : 0;
  for (const [index, output] of outputs.entries()) {
    const shown = blockOf(output) ? await wholeOutput(deps, state, output, left) : undefined;
    if (shown) {
      left -= shown.length;
      files.push(blockOf(output)!(shown.toString('base64')));
    }
    const url = await linkOfOutput(deps, state, output, origin);
    files.push({
      type: 'resource_link',
      uri: url,
      name: output.filename,
      mimeType: output.contentType,
      size: output.sizeBytes,
    });
    views.push({ ...outputView(output, index + 1), url });
  }
  const view = { ...jobView(job), ...(await whatNext(deps, state)), outputs: views };
  return {
    content: [{ type: 'text', text: stringifyJson(view) }, ...files],
    ...(state.status === 'failed' && { isError: true }),
  };
}

async function whatNext({ queue }: McpDeps, state: JobState) {
  if (hasEnded(state)) return {};
  return {
    queue_position: await queue.position(state),
    next: 'It goes on by itself: call get_job with this job_id, which waits for the end',
  };
}

/** Undefined: MCP has no content of this kind. */
function blockOf(output: JobOutput): ((data: string) => ContentBlock) | undefined {
  const kind = kindOfOutput(output);
  const { contentType: mimeType } = output;
  if (kind === 'image' || kind === 'audio') return (data) => ({ type: kind, data, mimeType });
  if (kind === 'text')
    return (data) => ({ type: 'text', text: Buffer.from(data, 'base64').toString('utf8') });
  return undefined;
}
