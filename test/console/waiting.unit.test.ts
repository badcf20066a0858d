// Every reason for which a job waits has its words in both languages.

import { expect, test } from 'vitest';
import { de } from '../../console/text/de.ts';
import { en } from '../../console/text/en.ts';
import document from '../api/__snapshots__/openapi.json' with { type: 'json' };

/** As the API describes them. */
const CODES = document.components.schemas.JobStatus.properties.waiting_code.anyOf.flatMap((one) =>
  'enum' in one ? one.enum : [],
);

test.each([
  ['English', en],
  ['German', de],
])('%s has words for each code, and with its seconds where it has some', (_, { job }) => {
  expect(CODES.length).toBeGreaterThan(8);
  expect(new Set(Object.keys(job.waits))).toEqual(new Set(CODES));
  const withSeconds = Object.entries(job.waits).filter(([, said]) => typeof said === 'function');
  expect(withSeconds.map(([code]) => code).toSorted()).toEqual(['host_starting', 'retry']);
  expect(job.waits.host_starting('40 s')).toContain('40 s');
  expect(job.waits.retry('40 s')).toContain('40 s');
});
