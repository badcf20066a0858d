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
    const told = lines.filter(({ level, event }) => level === 'info' && event === 'request.answered');
    expect(told).toMatchObject([
      {
        requestId: answer.headers.get('x-request-id'),
        method: 'POST',
        path: '/api/generate',
        status: 400,
      },
    ]);
    const key = `ck_0123456789abcdef_${'k'.repeat(43)}`;
    await rig.app.request(`/api/status/${key}?key=${key}`);
    expect(lines.at(-1)).toMatchObject({ path: '/api/status/ck_…' });
    expect(JSON.stringify(lines)).not.toMatch(/secret|red fox|kkkk/);
  } finally {
    await rig.close();
  }
});
