// The console decides as the API does what a key may do. No browser.

import { expect, test } from 'vitest';
import { allows } from '../../console/state/scopes.ts';
import { allows as inApi, type Scope, SCOPES } from '../../functions/core/access.ts';

/** Every set of them. */
const sets = SCOPES.reduce<Scope[][]>((all, one) => [...all, ...all.map((set) => [...set, one])], [[]]);

test.each(SCOPES)('%s', (wanted) => {
  for (const scopes of sets)
    expect({ scopes, allowed: allows(scopes, wanted) }).toEqual({
      scopes,
      allowed: inApi({ owner: 'any', scopes }, wanted),
    });
});
