// The prompt tag: what this API puts into `extra_data`, and what others may have put there.

import { describe, expect, it } from 'vitest';
import { promptTag, readPromptTag } from '../../functions/core/prompt-tag.ts';

describe('the prompt tag', () => {
  const tag = { machine: 'machine-a', jobId: 'j', attempt: 3 };
  it('comes back from among what others put there', () => {
    const extra = JSON.parse(JSON.stringify({ client_id: 'x', ...promptTag(tag) })) as Record<
      string,
      unknown
    >;
    expect(readPromptTag(extra)).toEqual(tag);
  });

  it.each([
    {},
    { client_id: 'x' },
    { comfyui_rest_api: null },
    { comfyui_rest_api: 'machine-a' },
    { comfyui_rest_api: [] },
    { comfyui_rest_api: { machine: 'machine-a', job_id: 'j' } },
    { comfyui_rest_api: { machine: 'machine-a', job_id: 'j', attempt: '3' } },
    { comfyui_rest_api: { machine: 1, job_id: 'j', attempt: 3 } },
    { comfyui_rest_api: { machine: 'machine-a', attempt: 3 } },
  ])('is not in %j', (extra) => {
    expect(readPromptTag(extra)).toBeUndefined();
  });
});
