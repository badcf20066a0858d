// The console as people have it: `npm start`'s program, and a real Chromium that looks at it. Whatever goes wrong in the page, or
// against its policy, fails the test that closes it.

import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import { freePort } from '../support/free-port.ts';
import { build, type Program, startProgram } from '../support/program.ts';

const CHROMIUM = spawnSync('which', ['chromium'], { encoding: 'utf8' }).stdout.trim();
export const hasChromium = CHROMIUM !== '';

export interface Console {
  url: string;
  workspace: string;
  /** A page of a person of its own, at the console. @param through the address of what stands before it */
  visit(options?: BrowserContextOptions & { at?: string; through?: string }): Promise<Visit>;
  /** A new one, of an owner of that name. @param scopes comma-separated; absent: those that keys have */
  key(name: string, scopes?: string): Promise<string>;
  revoke(key: string): Promise<void>;
  /** Ends the server as a power cut does. */
  kill(): Promise<void>;
  /** On the same port, with the same data. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface Visit {
  page: Page;
  /** What the page, or the browser of it, complained about. */
  complaints: string[];
  /** Faults of accessibility, as axe finds them: rule and element. */
  axe(): Promise<string[]>;
  /** Ends it. @throws where there are complaints */
  close(): Promise<void>;
}

/** @param env beside what makes it quick and of this machine alone */
export async function openConsole(env: Record<string, string> = {}): Promise<Console> {
  await build();
  const workspace = await mkdtemp(join(tmpdir(), 'console-'));
  const port = await freePort();
  let program: Program | undefined;
  const start = async () => {
    program = startProgram('local', {
      WORKSPACE_PATH: workspace,
      API_PORT: String(port),
      SIMULATED_STEP_MS: '20',
      COMFYUI_MODE: 'simulated',
      ...env,
    });
    await program.until(/REST API\s+(http:\S+)[^]*Stop: Ctrl-C/);
  };
  const kill = async () => {
    program?.signal('SIGKILL');
    await program?.ended;
  };
  const keys = async (...args: string[]) => {
    const program = startProgram('keys', { WORKSPACE_PATH: workspace }, args);
    const code = await program.ended;
    if (code !== 0) throw new Error(program.output());
    return program.output();
  };
  await start();
  const browser = await openBrowser();
  const url = `http://127.0.0.1:${port}/`;
  return {
    url,
    workspace,
    kill,
    start,
    async key(name, scopes) {
      const said = await keys(
        'create',
        '--name',
        name,
        ...(scopes === undefined ? [] : ['--scopes', scopes]),
      );
      return /ck_[0-9a-f]{16}_[\w-]{43}/.exec(said)![0];
    },
    async revoke(key) {
      await keys('revoke', key.split('_')[1]!);
    },
    visit: ({ at = '', through = url, ...options } = {}) => browser.visit(new URL(at, through).href, options),
    async close() {
      await browser.close();
      await kill();
      await rm(workspace, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** For a console that is served by something else. */
export async function openBrowser() {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  return {
    visit: (url: string, options: BrowserContextOptions = {}) => visit(browser, url, options),
    close: () => browser.close(),
  };
}

async function visit(browser: Browser, url: string, options: BrowserContextOptions): Promise<Visit> {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    // That a server is away is what some tests are about, and the browser says so of each request.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
      complaints.push(message.text());
  });
  await page.goto(url);
  return {
    page,
    complaints,
    axe: () => faultsOf(page),
    async close() {
      await context.close();
      if (complaints.length > 0) throw new Error(complaints.join('\n'));
    },
  };
}

/** `naturalWidth` of an image, `value` of a field. */
export const property = (of: Locator, name: string): Promise<unknown> =>
  of.evaluate((one: object, name) => Reflect.get(one, name) as unknown, name);

export const isFocused = (locator: Locator): Promise<boolean> =>
  locator.evaluate((one: object) => (one as { matches(selector: string): boolean }).matches(':focus'));

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(AXE, 'utf8'));
  return page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as {
        axe: {
          run(options: unknown): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
        };
      }
    ).axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}
