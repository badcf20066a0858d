// ComfyUI's own page in a real browser, served with our wire: it loads, queues a graph and shows its progress, and after kill -9 in
// the middle of the job and a new start it ends with the image. Skipped by name where Chromium is not there, or the page:
//   pip download --no-deps comfyui-frontend-package==1.49.6, unpacked; COMFYUI_FRONTEND names its folder `static`.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../../simulated-comfyui/server.ts';
import { hasChromium, openPage, type Page } from '../../support/chromium.ts';
import { freePort } from '../../support/free-port.ts';
import { build, type Program, startProgram } from '../../support/program.ts';
import { small } from '../v2/support.ts';

const folder = process.env['COMFYUI_FRONTEND'] ?? '';
const missing = [...(hasChromium ? [] : ['no chromium']), ...(folder === '' ? ['no COMFYUI_FRONTEND'] : [])];

describe.skipIf(missing.length > 0)(
  `ComfyUI’s page${missing.length > 0 ? ` (skipped: ${missing.join(', ')})` : ''}`,
  () => {
    let workspace: string;
    let comfyui: SimulatedComfyUI;
    let port: number;
    let page: Page;
    const started: Program[] = [];

    beforeAll(async () => {
      await build();
      workspace = await mkdtemp(join(tmpdir(), 'workspace-'));
      comfyui = await startSimulatedComfyUI({ stepMs: 100 });
      port = await freePort();
    });
    afterAll(async () => {
      await page?.close();
      for (const program of started) program.signal('SIGKILL');
      await Promise.all(started.map(({ ended }) => ended));
      await comfyui.close();
      await rm(workspace, { recursive: true, force: true, maxRetries: 10 });
    });

    async function start(): Promise<Program> {
      const program = startProgram('local', {
        WORKSPACE_PATH: workspace,
        API_PORT: '0',
        COMFYUI_API_PORT: String(port),
        COMFYUI_API_PAGE: folder,
        COMFYUI_HOST: '127.0.0.1',
        COMFYUI_PORT: String(comfyui.port),
      });
      started.push(program);
      await program.until(/Stop: Ctrl-C/);
      return program;
    }

    test('it shows progress, and after a kill -9 the image', async () => {
      const first = await start();
      const graph = small('in the page');
      graph['8']!.inputs['steps'] = 100;
      page = await openPage(`http://127.0.0.1:${port}/`);
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
      await start();
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
        comfyui.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/prompt')),
      ).toHaveLength(1);
      expect(page.exceptions).toEqual([]);
    });
  },
);
