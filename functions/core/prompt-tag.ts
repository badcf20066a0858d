// The prompt tag in a prompt's `extra_data`, which ComfyUI returns with its queue: it distinguishes this API's prompts from
// a person's, and one machine's from another's on the same ComfyUI.

const FIELD = 'comfyui_rest_api';

export interface PromptTag {
  machine: string;
  jobId: string;
  attempt: number;
}

/** The part of `extra_data` that has the tag. @param traceId for nodes that report what they do */
export function promptTag({ machine, jobId, attempt }: PromptTag, traceId?: string): Record<string, unknown> {
  return {
    [FIELD]: { machine, job_id: jobId, attempt, ...(traceId !== undefined && { trace_id: traceId }) },
  };
}

/** Undefined for a prompt without a valid tag. */
export function readPromptTag(extraData: Record<string, unknown>): PromptTag | undefined {
  const tag = extraData[FIELD] as { machine?: unknown; job_id?: unknown; attempt?: unknown } | undefined;
  const { machine, job_id: jobId, attempt } = tag ?? {};
  if (typeof machine !== 'string' || typeof jobId !== 'string' || typeof attempt !== 'number')
    return undefined;
  return { machine, jobId, attempt };
}
