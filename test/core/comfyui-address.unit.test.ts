// What people write for COMFYUI_HOST. Source: docs/reports.md.

import { expect, test } from 'vitest';
import { parseComfyUIAddress } from '../../functions/core/comfyui-address.ts';

test.each<[host: string, port: number | undefined, url: string]>([
  ['127.0.0.1', undefined, 'http://127.0.0.1:8188'],
  ['localhost', 8189, 'http://localhost:8189'],
  ['127.0.0.1:8188', undefined, 'http://127.0.0.1:8188'],
  ['127.0.0.1:8188', 8188, 'http://127.0.0.1:8188'],
  ['http://127.0.0.1:8188/', undefined, 'http://127.0.0.1:8188'],
  ['http://box', 8188, 'http://box:8188'],
  ['http://box', undefined, 'http://box'],
  ['::1', undefined, 'http://[::1]:8188'],
  ['[::1]', 8189, 'http://[::1]:8189'],
  ['[::1]:9000', undefined, 'http://[::1]:9000'],
  ['https://comfy.example.com', undefined, 'https://comfy.example.com'],
  ['https://comfy.example.com/gpu/1/', undefined, 'https://comfy.example.com/gpu/1'],
  ['comfyui', undefined, 'http://comfyui:8188'],
  ['box/comfy', undefined, 'http://box:8188/comfy'],
])('%s with port %s is %s', (host, port, url) => {
  expect(parseComfyUIAddress(host, port)).toEqual({ url, headers: {} });
});

test('a password goes into the header, not into the address', () => {
  expect(parseComfyUIAddress('https://ann:s%3Acret@comfy.example')).toEqual({
    url: 'https://comfy.example',
    headers: { authorization: `Basic ${Buffer.from('ann:s:cret').toString('base64')}` },
  });
  expect(parseComfyUIAddress('box', undefined, 'Bearer abc')).toEqual({
    url: 'http://box:8188',
    headers: { authorization: 'Bearer abc' },
  });
});

test.each([
  ['a b', undefined, /must be a host name or an address/],
  ['http://', undefined, /must be a host name or an address/],
  ['box:70000', undefined, /must be a host name or an address/],
  ['box:8188', 8189, /names port 8188 and COMFYUI_PORT is 8189/],
  ['http://box/?token=x', undefined, /must not have a query/],
])('%s with port %s is refused', (host, port, why) => {
  expect(parseComfyUIAddress(host, port)).toMatch(why);
});
