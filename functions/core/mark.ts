// Our mark in a prompt's `extra_data`: ComfyUI hands it back with the queue, and it tells our prompts from those of
// a person who uses ComfyUI's page, and one machine's from another's that shares the same ComfyUI.

const FIELD = 'comfyui_rest_api';

export interface Mark {
  machine: string;
  jobId: string;
  attempt: number;
}

export function markOf(mark: Mark): Record<string, unknown> {
  return { [FIELD]: { machine: mark.machine, job_id: mark.jobId, attempt: mark.attempt } };
}

export function readMark(extraData: Record<string, unknown>): Mark | undefined {
  const mark = extraData[FIELD] as { machine?: unknown; job_id?: unknown; attempt?: unknown } | undefined;
  const { machine, job_id: jobId, attempt } = mark ?? {};
  if (typeof machine !== 'string' || typeof jobId !== 'string' || typeof attempt !== 'number')
    return undefined;
  return { machine, jobId, attempt };
}
