// Forms that are being received take up memory: there is room for so many bytes of them.

import { request } from 'node:http';
import { expect, test } from 'vitest';
import { createFormRoom } from '../../../functions/api/openai/form-room.ts';
import { MB } from '../../../functions/core/quota.ts';
import { startRig } from '../../support/rig.ts';
import { call } from '../support.ts';

test('what is given back is free again, and only once', () => {
  const room = createFormRoom(10);
  const first = room.take(6);
  expect(() => room.take(5)).toThrow(expect.objectContaining({ status: 503, code: 'too_many_forms' }));
  const second = room.take(4);
  first();
  first();
  expect(() => room.take(7)).toThrow(expect.objectContaining({ code: 'too_many_forms' }));
  room.take(6)();
  second();
  // Larger than all of it, and alone.
  room.take(11)();
  room.take(10)();
});

test('four forms of 50 MB that are not here yet take all of it; when their clients leave there is room', async () => {
  const rig = await startRig({ forward: false });
  try {
    const slow = Array.from({ length: 4 }, () => {
      const one = request(`${rig.url}/v1/images/edits`, {
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'multipart/form-data; boundary=x', 'content-length': String(50 * MB) },
      });
      one.on('error', () => undefined);
      one.write('--x\r\ncontent-disposition: form-data; name="prompt"\r\n\r\na');
      return one;
    });
    const form = new FormData();
    form.set('prompt', 'a fox');
    const edit = () => call(rig.app, 'POST /v1/images/edits', { body: form });
    await expect.poll(async () => (await edit()).status).toBe(503);
    const refused = await edit();
    expect(refused.json).toMatchObject({ error: { type: 'server_error', code: 'too_many_forms' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    for (const one of slow) one.destroy();
    await expect.poll(async () => (await edit()).status).toBe(400);
  } finally {
    await rig.close();
  }
});
