// What is left of a request where logs are kept, as on AWS: one line, found by the id that the caller has.

import { expect, test } from 'vitest';
import { startRig } from '../support/rig.ts';

test('every request leaves a line with its id, and without its query or body', async () => {
  const lines: Record<string, unknown>[] = [];
  const rig = await startRig({ onLog: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) });
  try {
    const answer = await rig.app.request('/api/generate?secret=1', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"prompt": "a red fox", "width": "wide"}',
    });
    expect(answer.status).toBe(400);
    const told = lines.filter(({ level, event }) => level === 'info' && event === 'request');
    expect(told).toMatchObject([
      {
        request_id: answer.headers.get('x-request-id'),
        method: 'POST',
        path: '/api/generate',
        status: 400,
      },
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/secret|red fox/);
  } finally {
    await rig.close();
  }
});
