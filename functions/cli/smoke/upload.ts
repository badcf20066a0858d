// An upload as large as many photographs: it must pass the endpoint's limits and be listed by its name. The API has no
// presigned uploads.

import { randomBytes, randomUUID } from 'node:crypto';
import { encodePng } from '../../../simulated-comfyui/png.ts';
import { type Finding, lacking, ok } from '../doctor/check.ts';
import { sizeOf } from './ask.ts';
import { type Smoke, wanted } from './smoke.ts';

/** Noise does not compress: 3.1 MB, of the 4 MB that the API accepts. */
const SIDE = 1024;

/** @returns the name that a workflow accepts */
export async function upload({ ask, made }: Smoke): Promise<string> {
  // Its content is unique: only the test's jobs read it, so that it can be removed.
  const picture = await encodePng(
    {
      width: SIDE,
      height: SIDE,
      repeats: () => false,
      row: (_, into, at) => into.set(randomBytes(SIDE * 3), at),
    },
    { smoke: randomUUID() },
  );
  const form = new FormData();
  form.set('image', new File([new Uint8Array(picture)], 'smoke.png'));
  const answer = await ask('/api/upload/image', {
    method: 'POST',
    body: form,
    limit: 60_000,
    finishes: true,
  });
  const { name } = wanted(answer, 200, 'POST /api/upload/image').body;
  if (typeof name !== 'string') throw lacking('an upload has no name', 'npm run doctor');
  made.uploads.add(name);
  return name;
}

export async function uploadFinding({ ask }: Smoke, uploaded: Promise<string>): Promise<Finding> {
  const name = await uploaded;
  const { body } = wanted(await ask('/api/uploads?limit=100'), 200, 'GET /api/uploads');
  const listed = body['uploads'] as { name: string; size_bytes: number }[];
  const found = listed.find((one) => one.name === name);
  // With more than one page of uploads it may be on another page.
  if (!found && body['next_cursor'] === null)
    throw lacking(`${name} was uploaded and is not listed`, 'npm run doctor');
  return ok(found ? sizeOf(found.size_bytes) : name);
}
