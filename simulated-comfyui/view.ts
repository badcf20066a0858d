// GET /view: one file of a folder, whole or a range of it.
// Names that leave the folder are refused; nothing is converted: `preview` and `channel` return the file as it is.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Dialect } from './dialect.ts';
import type { Faults } from './faults.ts';
import { type Folders, isInside } from './folders.ts';
import { type Exchange, sendEmpty } from './http.ts';

const contentTypes: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.xml': 'application/xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
  '.txt': 'text/plain',
  '.json': 'application/json',
  '.mp4': 'video/mp4',
};

/** Types that a browser would run or render as a page; 0.33 includes XML images and documents. */
const isDangerous = (type: string, newer: boolean) =>
  ['text/html', 'text/javascript', 'text/css'].includes(type) || (newer && /[+/]xml$/.test(type));

export async function view(
  { request, response, query }: Exchange,
  folders: Folders,
  faults: Faults,
  dialect: Dialect,
): Promise<void> {
  const asked = query.get('filename');
  if (asked === null) return sendEmpty(response, 404);
  const { name, folder: named } = folders.annotated(asked);
  if (name === '' || name.startsWith('/') || name.includes('..')) return sendEmpty(response, 400);
  const root = named ?? folders.byType(query.get('type') ?? 'output');
  if (root === undefined) return sendEmpty(response, 400);
  const folder = resolve(root, query.get('subfolder') ?? '');
  if (!isInside(root, folder)) return sendEmpty(response, 403);
  const filename = basename(name);
  const path = join(folder, filename);
  const file = await stat(path, { bigint: true }).then(
    (found) => ({ isFile: found.isFile(), size: Number(found.size), mtime: found.mtime, ns: found.mtimeNs }),
    () => undefined,
  );
  if (file === undefined || !file.isFile) return sendEmpty(response, 404);

  const range = rangeOf(request.headers.range, file.size);
  if (range === 'outside') {
    response.setHeader('Content-Range', `bytes */${file.size}`);
    return sendEmpty(response, 416);
  }
  const { start, end } = range ?? { start: 0, end: file.size - 1 };
  response.writeHead(range === undefined ? 200 : 206, {
    ...typeHeaders(filename, request.headers['sec-fetch-dest'], dialect),
    Etag: `"${file.ns.toString(16)}-${file.size.toString(16)}"`,
    'Last-Modified': file.mtime.toUTCString(),
    'Accept-Ranges': 'bytes',
    'Content-Length': end - start + 1,
    ...(range && { 'Content-Range': `bytes ${start}-${end}/${file.size}` }),
  });
  if (request.method === 'HEAD' || end < start) {
    response.end();
    return;
  }
  const upTo = faults.halfImage ? start + Math.floor((end - start) / 2) : end;
  // A reader that disconnects in the middle is no error.
  await pipeline(createReadStream(path, { start, end: upTo }), response, { end: !faults.halfImage }).catch(
    () => response.destroy(),
  );
  if (upTo < end) response.destroy();
}

/** @param dest Sec-Fetch-Dest: the browser's use of the file */
function typeHeaders(filename: string, dest: string | string[] | undefined, { newer }: Dialect) {
  const binary = 'application/octet-stream';
  const type = contentTypes[extname(filename).toLowerCase()] ?? binary;
  const dangerous = isDangerous(type, newer);
  if (!newer)
    return { 'Content-Disposition': `filename="${filename}"`, 'Content-Type': dangerous ? binary : type };
  const named = `filename="${filename.replaceAll(/[\\"]/g, (sign) => `\\${sign}`)}"`;
  const asPage = dangerous && !(type === 'image/svg+xml' && dest === 'image');
  return {
    'X-Content-Type-Options': 'nosniff',
    ...(dangerous && { Vary: 'Sec-Fetch-Dest', 'Cache-Control': 'no-store' }),
    'Content-Disposition': asPage ? `attachment; ${named}` : named,
    'Content-Type': asPage ? binary : type,
  };
}

function rangeOf(header: string | undefined, size: number) {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  return start >= size || end < start ? 'outside' : { start, end };
}
