// An image by its link: a 302 to the bucket, which needs no key, and a browser's conditional request.

import type { Status } from '../api.ts';
import { after, type Check, type Finding, lacking, ok } from '../doctor/check.ts';
import { sizeOf } from './ask.ts';
import { inspected } from './jobs.ts';
import { type Smoke, wanted } from './smoke.ts';

type Image = Status['images'][number];

/** @param made the job that made the image */
export function downloadChecks(smoke: Smoke, made: Promise<Status>): Check[] {
  const check = (name: string, run: (smoke: Smoke, image: Image) => Promise<Finding>): Check => ({
    name,
    run: () =>
      after(made, 'without the first image', ({ images: [image] }) => {
        if (!image) throw lacking('there is no image to fetch', 'npm run doctor');
        return run(smoke, image);
      }),
  });
  return [check('link', byLink), check('image again', again)];
}

async function byLink({ ask }: Smoke, { filename, size_bytes: size }: Image): Promise<Finding> {
  const path = `/api/image/${filename}?redirect=1`;
  const redirect = wanted(await ask(path), 302, 'GET of an image with ?redirect=1');
  const location = redirect.headers.get('location');
  if (location === null) throw lacking('302 says nowhere to go', 'npm run doctor');
  const where = new URL(location).host;
  const stored = await ask(location, { key: null, limit: 60_000 });
  wanted(stored, 200, `the link to ${where}`, 'is the clock right? A link is good for 15 minutes');
  await inspected(stored.bytes, filename);
  if (stored.bytes.length !== size)
    throw lacking(`${where} sent ${stored.bytes.length} of ${size} bytes`, 'npm run doctor');
  return ok(`302, ${sizeOf(size)} from ${where}`);
}

async function again({ ask }: Smoke, { filename, content_type: type }: Image): Promise<Finding> {
  const path = `/api/image/${filename}`;
  const head = wanted(await ask(path, { method: 'HEAD' }), 200, 'HEAD of an image');
  const etag = head.headers.get('etag');
  if (etag === null || head.headers.get('content-type') !== type)
    throw lacking('HEAD of an image does not say its type and ETag', 'npm run doctor');
  wanted(await ask(path, { headers: { 'if-none-match': etag } }), 304, 'GET of an image with its ETag');
  const part = wanted(await ask(path, { headers: { range: 'bytes=0-99' } }), 206, 'GET of 100 bytes');
  if (part.bytes.length !== 100)
    throw lacking(`100 bytes were asked for, ${part.bytes.length} came`, 'npm run doctor');
  return ok('HEAD, 304, 206');
}
