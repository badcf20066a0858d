// The README and its pages, followed by a stranger: every snippet in them is run, in a copy of the sources, with an empty home.

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Program, startCommand } from './support/program.ts';

const run = promisify(execFile);
/** The README, and the pages that it sends to for the rest of its snippets. */
const PAGES = ['README.md', 'docs/api.md', 'docs/workflows.md'];
const README = (await Promise.all(PAGES.map((page) => readFile(page, 'utf8')))).join('\n');
const NOT_COPIED = new Set(['node_modules', '.build', '.workspace', '.git', 'cdk.out']);

interface Snippet {
  language: string;
  text: string;
  /** The line of text before it. */
  above: string;
}

const snippets: Snippet[] = [...README.matchAll(/([^\n]*)\n\n```(\w+)\n([^]*?)\n```/g)].map(
  ([, above, language, text]) => ({ above: above!, language: language!, text: text! }),
);
const bash = snippets.filter(({ language }) => language === 'bash').map(({ text }) => text);
const curls = bash.filter((text) => text.startsWith('curl'));

let home: string;
let checkout: string;
let env: Record<string, string>;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'home-'));
  checkout = join(home, 'checkout');
  await mkdir(checkout);
  await cp('.', checkout, { recursive: true, filter: (source) => !NOT_COPIED.has(basename(source)) });
  env = { PATH: process.env['PATH']!, HOME: home };
}, 30_000);
afterAll(() => rm(home, { recursive: true, force: true, maxRetries: 10 }));

test('every fence in these pages is a snippet that this test knows', () => {
  expect(README.match(/^```\w+$/gm)).toHaveLength(snippets.length);
  const known = (text: string) => text.startsWith('curl') || /npm (ci|start)/.test(text);
  expect(bash.filter((text) => !known(text))).toEqual([]);
});

test('the test command of the README is what CI calls', async () => {
  const [command] = bash.filter((text) => text.endsWith('npm test'));
  const [setUp, check] = command!.split(' && ');
  const ci = await readFile('.ci/run', 'utf8');
  // Set up once, for all that comes after it.
  const [first, then] = [`npm ci' ${setUp} `, `\n  ${check} -- `].map((call) => ci.indexOf(call));
  expect([first! > 0, then! > first!]).toEqual([true, true]);
});

test('its first line makes an image, from nothing', async () => {
  expect(snippets[0]!.text).toBe('npm ci && npm run generate -- "a red fox"');
  const { stdout } = await run('bash', ['-c', snippets[0]!.text], { cwd: checkout, env });
  const path = /^\S+\.png$/m.exec(stdout)![0];
  const png = PNG.sync.read(await readFile(join(checkout, path)));
  expect([png.width, png.height]).toEqual([1024, 1024]);
}, 240_000);

describe('after `npm start`', () => {
  let program: Program;
  let url: string;
  beforeAll(async () => {
    // The JSON of "Add a workflow" lies where its title says.
    for (const { language, text, above } of snippets)
      if (language === 'json') await writeFile(join(checkout, /`([^`]+)`/.exec(above)![1]!), text);
    program = startCommand('npm', ['start'], { ...env, API_PORT: '0', SIMULATED_STEP_MS: '5' }, checkout);
    url = (await program.until(/REST API\s+(http:\S+)[^]*Stop: Ctrl-C/))[1]!;
  }, 60_000);
  afterAll(async () => {
    program.stop();
    await program.ended;
  });

  async function curl(snippet: string, variables: Record<string, string> = {}): Promise<string> {
    const here = snippet.replaceAll('http://127.0.0.1:5000', url);
    const { stdout } = await run('bash', ['-c', here.replace(/^curl( -f)?/, 'curl -sS --fail-with-body')], {
      cwd: home,
      env: { ...env, ...variables },
    });
    return stdout;
  }

  async function finished(jobId: string): Promise<Record<string, unknown>> {
    const follow = curls.find((text) => text.includes('/api/status/'))!;
    let status: Record<string, unknown> = {};
    await expect
      .poll(
        async () => {
          status = JSON.parse(await curl(follow, { JOB_ID: jobId })) as Record<string, unknown>;
          return status['status'];
        },
        { timeout: 15_000 },
      )
      .toBe('completed');
    return status;
  }

  const posts = curls.filter((text) => text.includes('/api/generate'));
  test.each(posts)('%s', async (snippet) => {
    const { job_id: jobId } = JSON.parse(await curl(snippet)) as { job_id: string };
    const { output_image: image } = await finished(jobId);
    const fetchImage = curls.find((text) => text.includes('/api/image/'))!;
    await curl(fetchImage, { IMAGE: String(image) });
    const png = PNG.sync.read(await readFile(join(home, 'fox.png')));
    const side = snippet.includes('"side": 256') ? 256 : 1024;
    expect([png.width, png.height]).toEqual([side, side]);
  });

  test('a job that is followed tells its end, and the stream ends with it', async () => {
    const { job_id: jobId } = JSON.parse(await curl(posts[0]!)) as { job_id: string };
    const follow = curls.find((text) => text.endsWith('/events'))!;
    expect(await curl(follow, { JOB_ID: jobId })).toMatch(/"status":"completed"/);
  });

  test('every curl is one of these', () => {
    const others = curls.filter((text) => !posts.includes(text));
    expect(others.map((text) => /\/api\/\S+/.exec(text)![0])).toEqual([
      '/api/status/$JOB_ID',
      '/api/image/$IMAGE',
      '/api/status/$JOB_ID/events',
    ]);
    expect(posts).toHaveLength(3);
  });
});

test("with a ComfyUI of one's own", async () => {
  const snippet = bash.find((text) => text.startsWith('COMFYUI_HOST'))!;
  const program = startCommand(
    'bash',
    ['-c', snippet],
    { ...env, API_PORT: '0', WORKSPACE_PATH: join(home, 'own') },
    checkout,
  );
  try {
    await program.until(/ComfyUI\s+real, at http:\/\/127\.0\.0\.1:8188/);
  } finally {
    program.stop();
    await program.ended;
  }
}, 60_000);
