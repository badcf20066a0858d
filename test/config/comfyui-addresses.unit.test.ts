// One ComfyUI or several, by the settings of a process.

import { expect, test } from 'vitest';
import { comfyuiAddressesOf } from '../../functions/config/comfyui.ts';

const urls = (settings: Parameters<typeof comfyuiAddressesOf>[0]) =>
  comfyuiAddressesOf(settings).map(({ url }) => url);

test('one without COMFYUI_URLS, each of them with it', () => {
  expect(urls({})).toEqual(['http://127.0.0.1:8188']);
  expect(urls({ COMFYUI_HOST: 'box', COMFYUI_PORT: 9000 })).toEqual(['http://box:9000']);
  expect(urls({ COMFYUI_URLS: 'http://127.0.0.1:8188, box' })).toEqual([
    'http://127.0.0.1:8188',
    'http://box:8188',
  ]);
  const [, second] = comfyuiAddressesOf({
    COMFYUI_URLS: 'a,https://ann:word@b',
    COMFYUI_AUTHORIZATION: 'Bearer x',
  });
  expect(second).toEqual({ url: 'https://b', headers: { authorization: 'Bearer x' } });
});

test.each([
  [{ COMFYUI_URLS: 'a', COMFYUI_HOST: 'b' }, 'COMFYUI_URLS and COMFYUI_HOST are both set'],
  [{ COMFYUI_URLS: 'a', COMFYUI_PORT: 8189 }, 'COMFYUI_URLS and COMFYUI_PORT are both set'],
  [{ COMFYUI_URLS: 'a,' }, 'COMFYUI_URLS must be'],
  [{ COMFYUI_URLS: 'a,http://a:8188/' }, 'COMFYUI_URLS must name each ComfyUI once'],
  [{ COMFYUI_URLS: 'a,http://ann:hunter2@b/?x=1' }, 'COMFYUI_URLS must not have a query'],
])('%o is refused', (settings, sentence) => {
  expect(() => urls(settings)).toThrow(sentence);
  expect(() => urls(settings)).not.toThrow('hunter2');
});
