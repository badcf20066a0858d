// A page in a real Chromium without a window, driven by its DevTools protocol. Ends only the browser that it started.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';

export const hasChromium = spawnSync('chromium', ['--version']).status === 0;

export interface Page {
  /** The value of an expression, awaited; as JSON has it. */
  evaluate<T>(expression: string): Promise<T>;
  /** Errors that no script of the page has caught. */
  exceptions: string[];
  close(): Promise<void>;
}

interface Answer {
  id?: number;
  method?: string;
  result?: { result?: { value?: unknown }; exceptionDetails?: { exception?: { description?: string } } };
  error?: { message: string };
  params?: { exceptionDetails?: { text?: string; exception?: { description?: string } } };
}

/** The browser's own look-ups go nowhere: the page has this machine alone. */
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--window-size=1400,900',
  '--remote-debugging-port=0',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

export async function openPage(url: string): Promise<Page> {
  const profile = await mkdtemp(join(tmpdir(), 'chromium-'));
  const browser = spawn('chromium', [...ARGUMENTS, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => browser.once('close', () => resolve()));
  const address = await new Promise<string>((resolve, reject) => {
    let said = '';
    browser.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
      const found = /DevTools listening on ws:\/\/([^/]+)/.exec(said);
      if (found) resolve(found[1]!);
    });
    browser.once('close', () => reject(new Error(`Chromium ended: ${said}`)));
  });
  const targets = (await (await fetch(`http://${address}/json`)).json()) as {
    type: string;
    webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(targets.find(({ type }) => type === 'page')!.webSocketDebuggerUrl);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));

  let sent = 0;
  const waiting = new Map<number, (answer: Answer) => void>();
  const exceptions: string[] = [];
  socket.on('message', (data: Buffer) => {
    const answer = JSON.parse(data.toString('utf8')) as Answer;
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer);
    const thrown = answer.method === 'Runtime.exceptionThrown' ? answer.params?.exceptionDetails : undefined;
    if (thrown) exceptions.push(thrown.exception?.description ?? thrown.text ?? 'unknown');
  });
  const call = (method: string, params: Record<string, unknown> = {}): Promise<Answer> =>
    new Promise((resolve) => {
      const id = (sent += 1);
      waiting.set(id, (answer) => {
        waiting.delete(id);
        resolve(answer);
      });
      socket.send(JSON.stringify({ id, method, params }));
    });

  await call('Runtime.enable');
  await call('Page.enable');
  await call('Page.navigate', { url });
  return {
    exceptions,
    async evaluate<T>(expression: string) {
      const { result, error } = await call('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      const failed = error?.message ?? result?.exceptionDetails?.exception?.description;
      if (failed !== undefined) throw new Error(failed);
      return result?.result?.value as T;
    },
    async close() {
      socket.terminate();
      browser.kill();
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
