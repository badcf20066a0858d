// The console's types are those of the API's description.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { documentOfApp } from '../api/described.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { type OpenApi, typesOf } from './types-of.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ forward: false });
});
afterAll(() => rig.close());

test("console/api/types.ts is made from the API's document", async () => {
  const document = (await documentOfApp(rig.app)) as unknown as OpenApi;
  await expect(typesOf(document)).toMatchFileSnapshot('../../console/api/types.ts');
});
