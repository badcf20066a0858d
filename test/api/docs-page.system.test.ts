// The docs page in a real browser: it shows every operation under its own policy, and asks nobody else for anything.
// Skipped by name where there is no Chromium (`apt-get install chromium`).

import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Rig, startRig } from '../support/rig.ts';
import { documentOfApp, operationsOf } from './described.ts';

const run = promisify(execFile);
const isMissing = spawnSync('chromium', ['--version']).status !== 0;

describe.skipIf(isMissing)(
  `the docs page in a browser${isMissing ? ' (skipped: no chromium here)' : ''}`,
  () => {
    let rig: Rig;
    let profile: string;
    beforeAll(async () => {
      rig = await startRig({ forward: false });
      profile = await mkdtemp(join(tmpdir(), 'chromium-'));
    });
    afterAll(async () => {
      await rig.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 10 });
    });

    test.each(['/docs', '/api/docs'])(
      '%s shows every operation, and nothing is refused',
      async (path) => {
        const html = '<img src=x onerror="document.title=1">';
        await rig.generate({ prompt: html });
        const { stdout, stderr } = await run(
          'chromium',
          [
            '--headless',
            '--no-sandbox',
            '--disable-gpu',
            `--user-data-dir=${profile}`,
            '--enable-logging=stderr',
            '--virtual-time-budget=10000',
            '--dump-dom',
            // The browser's own look-ups go nowhere; what the page asks elsewhere its policy refuses, on the console.
            '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
            `${rig.url}${path}`,
          ],
          { maxBuffer: 10_000_000 },
        );
        const shown = [...stdout.matchAll(/data-path="([^"]+)"/g)].map(([, one]) => one!);
        const said = operationsOf(await documentOfApp(rig.app)).map(({ route }) => route.split(' ')[1]!);
        expect(new Set(shown)).toEqual(new Set(said));
        expect(shown).toHaveLength(said.length);
        expect(stderr.split('\n').filter((line) => /CONSOLE/.test(line))).toEqual([]);
        expect(stdout).not.toContain(html);
      },
      60_000,
    );
  },
);
