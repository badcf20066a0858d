// What is wrong with a field, in words; what the API said is said as it is.

import { t } from '../../text/index.ts';
import type { Fault } from './form.ts';

export function wordsOf(fault: Fault | string | undefined): string | undefined {
  if (fault === undefined || typeof fault === 'string') return fault;
  const words = t().faults;
  if (fault.kind === 'range') return words.range(fault.minimum, fault.maximum);
  return fault.kind === 'multiple' ? words.multiple(fault.of) : words[fault.kind];
}
