// What ComfyUI answers is believed only where ComfyUI could have said it.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ComfyUI, ComfyUISilent, createComfyUI } from '../../functions/comfyui/client.ts';

let body: string;
let server: Server;
let comfyui: ComfyUI;
beforeAll(async () => {
  server = createServer((_, res) => res.end(body));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  comfyui = createComfyUI(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('system_stats', () => {
  test('of a ComfyUI are given as they are, also without devices', async () => {
    for (const devices of [[], [{ name: 'cpu', type: 'cpu', index: null, vram_total: 1, vram_free: 1 }]]) {
      const stats = { system: { os: 'linux', comfyui_version: '0.8.0' }, devices };
      body = JSON.stringify(stats);
      expect(await comfyui.systemStats()).toEqual(stats);
    }
  });

  test.each([
    '{}',
    'null',
    '[]',
    '"ok"',
    '{"system":{}}',
    '{"devices":[]}',
    '{"system":null,"devices":[]}',
    '{"system":"up","devices":[]}',
    '{"system":{},"devices":{}}',
  ])('%s is no answer', async (answer) => {
    body = answer;
    await expect(comfyui.systemStats()).rejects.toThrow(
      new ComfyUISilent('GET /system_stats as ComfyUI does'),
    );
  });
});
