// How long ago something was, as a person says it.

import { expect, test } from 'vitest';
import { ago } from '../../console/text/ago.ts';

const NOW = Date.parse('2026-11-30T12:00:00.000Z');

test.each([
  ['2026-11-30T12:00:30.000Z', 'now'],
  ['2026-11-30T11:59:30.000Z', '30 sec. ago'],
  ['2026-11-30T11:59:00.000Z', '1 min. ago'],
  ['2026-11-30T10:30:00.000Z', '1 hr. ago'],
  ['2026-11-29T11:00:00.000Z', 'yesterday'],
  ['2026-09-30T12:00:00.000Z', '2 mo. ago'],
  ['2024-09-30T12:00:00.000Z', '2 yr. ago'],
])('%s is %s', (iso, words) => {
  expect(ago(iso, NOW, 'en')).toBe(words);
});
