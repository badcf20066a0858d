// A mutation is an edit of a source, which changes: one that fits no longer would break nothing, and prove nothing.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { MUTATIONS } from './mutations.ts';

test.each(MUTATIONS)('"$name" fits the sources', async ({ edits }) => {
  for (const { file, find } of edits) {
    const source = await readFile(join(packageRoot(), file), 'utf8');
    expect(source.split(find), `${file} has it once: ${find}`).toHaveLength(2);
  }
});
