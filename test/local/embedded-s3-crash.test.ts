// A process that is killed at any moment, a disk that tears a file: what is shown is whole, what was answered is there.

import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createS3Client } from '../../functions/images/s3/client.ts';
import { createS3Images } from '../../functions/images/s3/images.ts';
import { createLog } from '../../functions/log.ts';
import { BUCKET, credentials, region, startTestS3 } from './embedded-s3-support.ts';

describe('a folder', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'embedded-s3-kill-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  /** The server as a process of its own, with puts of `a/<n>` and overwrites of `same` going on in it. */
  async function startProcess(script: string) {
    const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    const url = await new Promise<string>((resolve) => {
      child.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()));
    });
    return { child, url };
  }

  it('survives kill -9 at any moment: every object is whole, every answered put is there', async () => {
    const script = join(directory, 'server.mjs');
    const server = join(import.meta.dirname, '../../functions/local/embedded-s3/server.ts');
    await build({
      stdin: {
        contents: `import { startEmbeddedS3 } from ${JSON.stringify(server)};
          const s3 = await startEmbeddedS3({ directory: process.argv[2], buckets: ['${BUCKET}'], credentials: ${JSON.stringify(credentials)} });
          console.log(s3.url);`,
        resolveDir: directory,
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: script,
      logLevel: 'error',
    });
    const answered = new Set<string>();
    const contentOf = (n: number) => Buffer.alloc(1000 + ((n * 77_777) % 900_000), `${n} `);
    let n = 0;
    for (let round = 0; round < 6; round++) {
      const { child, url } = await startProcess(script);
      const client = createS3Client({ endpoint: url, region, credentials });
      client.config.maxAttempts = () => Promise.resolve(1);
      const images = createS3Images({ client, bucket: BUCKET });
      const killed = new AbortController();
      const enough = answered.size + 5;
      const writers = Array.from({ length: 4 }, async () => {
        while (!killed.signal.aborted) {
          const mine = n++;
          const keys = [`a/${mine}`, 'same'];
          for (const key of keys) {
            await images
              .put(key, contentOf(mine), { contentType: `x/${mine}` })
              .then(() => answered.add(key));
            if (answered.size >= enough) setTimeout(() => child.kill('SIGKILL'), round * 17);
          }
        }
      });
      await new Promise((resolve) => child.once('exit', resolve));
      killed.abort();
      await Promise.allSettled(writers);
      client.destroy();
    }
    expect(answered.size).toBeGreaterThan(20);

    const s3 = await startTestS3({ directory });
    try {
      expect(await readdir(join(directory, '.incoming'))).toEqual([]);
      const images = createS3Images({ client: s3.client, bucket: BUCKET });
      const listed: string[] = [];
      for await (const { key, sizeBytes } of images.list('')) {
        const image = await images.get(key);
        if (typeof image !== 'object') throw new Error(`${key} is listed and not there`);
        const written = Number(image.contentType.slice(2));
        const bytes = Buffer.from(await new Response(image.body as never).arrayBuffer());
        expect({ key, whole: bytes.equals(contentOf(written)) }).toEqual({ key, whole: true });
        expect(sizeBytes).toBe(bytes.length);
        listed.push(key);
      }
      expect(listed).toEqual(expect.arrayContaining([...answered]));
    } finally {
      await s3.stop();
    }
  });

  it('with torn, foreign and half-written files in it starts, and shows only what is whole', async () => {
    const folder = await mkdtemp(join(directory, 'torn-'));
    const first = await startTestS3({ directory: folder });
    const images = createS3Images({ client: first.client, bucket: BUCKET });
    for (const key of ['whole', 'torn', 'moved'])
      await images.put(key, Buffer.from(key), { contentType: 'image/png' });
    await first.stop();
    const bucket = join(folder, BUCKET);
    const torn = (await readdir(bucket)).find((name) => name.endsWith('-torn'))!;
    await truncate(join(bucket, torn), 20);
    await writeFile(join(bucket, '.DS_Store'), 'x');
    await writeFile(join(bucket, `${'0'.repeat(40)}-empty`), '');
    await writeFile(
      join(bucket, `${'1'.repeat(40)}-liar`),
      Buffer.from('{}\xff\xff\xff\xff\r\ns3v1\r\n', 'latin1'),
    );
    await writeFile(join(folder, '.incoming', 'half'), 'half');
    const second = await startTestS3({ directory: folder });
    try {
      const { Contents = [] } = await second.client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
      expect(Contents.map(({ Key }) => Key)).toEqual(['moved', 'whole']);
      expect(await readdir(join(folder, '.incoming'))).toEqual([]);
      const again = createS3Images({ client: second.client, bucket: BUCKET });
      expect(await again.get('torn')).toBeUndefined();
      expect(await again.putOnce('torn', Buffer.from('new'), { contentType: 'image/png' })).toBe('written');
    } finally {
      await second.stop();
    }
  });

  it('with files in it that cannot be read starts without them, and says so', async () => {
    const folder = await mkdtemp(join(directory, 'unreadable-'));
    const first = await startTestS3({ directory: folder });
    const images = createS3Images({ client: first.client, bucket: BUCKET });
    for (const key of ['whole', 'loop', 'folder'])
      await images.put(key, Buffer.from(key), { contentType: 'image/png' });
    await first.stop();
    const fileOf = async (key: string) => {
      const names = await readdir(join(folder, BUCKET));
      return join(
        folder,
        BUCKET,
        names.find((name) => name.endsWith(`-${key}`))!,
      );
    };
    // What chmod does for everybody but root.
    const loop = await fileOf('loop');
    await rm(loop);
    await symlink(loop, loop);
    const inItsPlace = await fileOf('folder');
    await rm(inItsPlace);
    await mkdir(inItsPlace);
    const lines: string[] = [];
    const log = createLog('test', 'warn', (line) => lines.push(line));
    const second = await startTestS3({ directory: folder, log });
    try {
      const { Contents = [] } = await second.client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
      expect(Contents.map(({ Key }) => Key)).toEqual(['whole']);
      expect(lines).toEqual([expect.stringContaining('ELOOP')]);
    } finally {
      await second.stop();
    }
  });
});
