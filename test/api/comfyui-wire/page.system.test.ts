// ComfyUI's own page in a real browser, served with our wire: it loads, queues a graph and shows its progress, and after kill -9 in
// the middle of the job and a new start it ends with the image. Skipped by name where Chromium is not there, or the page:
//   pip download --no-deps comfyui-frontend-package==1.49.6, unpacked; COMFYUI_FRONTEND names its folder `static`.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, openPage, type Page } from '../../support/chromium.ts';
import { type WithWire, withWire } from '../../support/with-wire.ts';
import { small } from '../v2/support.ts';

const folder = process.env['COMFYUI_FRONTEND'] ?? '';
const missing = [...(hasChromium ? [] : ['no chromium']), ...(folder === '' ? ['no COMFYUI_FRONTEND'] : [])];

describe.skipIf(missing.length > 0)(
  `ComfyUI’s page${missing.length > 0 ? ` (skipped: ${missing.join(', ')})` : ''}`,
  () => {
    let wire: WithWire;
    let page: Page;
    beforeAll(async () => {
      wire = await withWire(100, { COMFYUI_API_PAGE: folder });
    });
    afterAll(async () => {
      await page?.close();
      await wire?.close();
    });

    test('it shows progress, and after a kill -9 the image', async () => {
      const first = await wire.start();
      const graph = small('in the page');
      graph['8']!.inputs['steps'] = 100;
      page = await openPage(`${wire.url}/`);
      await expect.poll(() => page.evaluate('Boolean(window.app?.graph && app.canvas)')).toBe(true);
      // Its own start loads a graph, last of all.
      await expect
        .poll(async () => {
          await page.evaluate(`app.loadApiJson(${JSON.stringify(graph)}, 'test.json')`);
          return page.evaluate('app.graph._nodes.length');
        })
        .toBe(Object.keys(graph).length);
      expect(await page.evaluate('app.queuePrompt(0, 1)')).toBe(true);
      await expect.poll(() => page.evaluate<number>('app.graph.getNodeById(8)?.progress')).toBeGreaterThan(0);

      first.signal('SIGKILL');
      await first.ended;
      await wire.start();
      await expect
        .poll(() =>
          page.evaluate(`(() => {
            const node = app.graph.getNodeById(11);
            app.canvas.centerOnNode(node);
            return node.imgs?.[0]?.naturalWidth;
          })()`),
        )
        .toBe(256);
      expect(
        wire.comfyui.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/prompt')),
      ).toHaveLength(1);
      expect(page.exceptions).toEqual([]);
    });
  },
);
