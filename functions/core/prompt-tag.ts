// The prompt tag in a prompt's `extra_data`, which ComfyUI returns with its queue: it distinguishes this API's prompts from
// a person's, and one machine's from another's on the same ComfyUI.

const FIELD = 'comfyui_rest_api';

export interface PromptTag {
  machine: string;
  jobId: string;
  attempt: number;
}

/** The part of `extra_data` that has the tag. */
export function promptTag(tag: PromptTag): Record<string, unknown> {
  return { [FIELD]: { machine: tag.machine, job_id: tag.jobId, attempt: tag.attempt } };
}

/** Undefined for a prompt without a valid tag. */
export function readPromptTag(extraData: Record<string, unknown>): PromptTag | undefined {
  const tag = extraData[FIELD] as { machine?: unknown; job_id?: unknown; attempt?: unknown } | undefined;
  const { machine, job_id: jobId, attempt } = tag ?? {};
  if (typeof machine !== 'string' || typeof jobId !== 'string' || typeof attempt !== 'number')
    return undefined;
  return { machine, jobId, attempt };
}
