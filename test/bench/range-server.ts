// As much of S3 as bringing a model takes: its manifest, its list of parts, ranges of its bytes. It costs next to nothing,
// where the embedded S3 would be what is measured, and keeps to S3's pace a connection where it is told to.

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const MB = 1024 * 1024;
const PART = 16 * MB;
const SLICE = 64 * 1024;
/** Told in `SIZE_MB` and `MB_PER_SECOND`, of each connection; 0: as fast as it can. */
const sizeBytes = Number(process.env['SIZE_MB']) * MB;
const pace = Number(process.env['MB_PER_SECOND'] ?? 0) * MB;

const block = Buffer.alloc(PART);
for (let at = 0; at < PART; at += 4) block.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at);
const whole = createHash('sha256');
for (let at = 0; at < sizeBytes; at += PART) whole.update(block);
const sha256 = whole.digest('hex');
const partHash = createHash('sha256').update(block).digest('hex');

const key = `models/${sha256}/model.safetensors`;
const file = { folder: 'diffusion_models', filename: 'model.safetensors', sizeBytes, sha256, key };
const source = { repo: 'us/models', revision: 'main', path: 'model.safetensors' };
const documents: Record<string, unknown> = {
  '/models/manifest.json': { v: 1, files: [{ ...file, source }] },
  [`/models/${key}.parts.json`]: {
    v: 1,
    sizeBytes,
    sha256,
    partBytes: PART,
    parts: Array.from({ length: sizeBytes / PART }, () => partHash),
  },
};

/** When this connection may send its next byte, ms. */
const freeAt = new WeakMap<Socket, number>();

async function inItsTime(socket: Socket, bytes: number): Promise<void> {
  const now = performance.now();
  const from = Math.max(freeAt.get(socket) ?? 0, now);
  freeAt.set(socket, from + (bytes / pace) * 1000);
  if (from > now) await sleep(from - now);
}

const server = createServer(async ({ url = '', headers, socket }, answer) => {
  const document = documents[url.split('?')[0]!];
  if (document) return answer.end(JSON.stringify(document));
  const [, from, to] = (/^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []).map(Number);
  if (from === undefined || to === undefined) return answer.writeHead(404).end();
  answer.writeHead(206, {
    'content-length': to - from + 1,
    'content-range': `bytes ${from}-${to}/${sizeBytes}`,
  });
  const most = pace > 0 ? SLICE : PART;
  for (let at = from; at <= to;) {
    const start = at % PART;
    const piece = block.subarray(start, Math.min(start + most, start + to + 1 - at, PART));
    if (pace > 0) await inItsTime(socket, piece.length);
    answer.write(piece);
    at += piece.length;
  }
  return answer.end();
});
server.listen(0, '127.0.0.1', () =>
  process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
);
process.once('disconnect', () => process.exit());
