// Fills the models bucket from the hub: each file is streamed through and checked, and the manifest is written last. Files
// and parts that the bucket has are not fetched again, so that an interrupted run can be repeated on any machine.

import type { ModelBucket } from './bucket.ts';
import type { Hub, HubFile } from './hub.ts';
import { keyOf, type Manifest, MANIFEST_KEY, type ModelFile } from './manifest.ts';
import { findParts } from './parts-list.ts';
import { ModelsProblem } from './problem.ts';
import { gb } from './size.ts';
import type { Wanted } from './wanted.ts';

export interface SeedDeps {
  hub: Hub;
  bucket: ModelBucket;
  say(line: string): void;
}

/** @throws ModelsProblem */
export async function seed(deps: SeedDeps, wanted: Wanted, acceptsLicence: boolean): Promise<Manifest> {
  refuseWithoutLicence(wanted, acceptsLicence);
  const { hub, bucket, say } = deps;
  const files: ModelFile[] = [];
  for (const file of wanted.files) {
    const about = await hub.describe(file);
    const { sizeBytes, sha256, revision } = about;
    const key = keyOf({ sha256, filename: file.filename });
    const there = await bucket.head(key);
    const isWhole = there?.sizeBytes === sizeBytes && there.sha256 === sha256;
    if (isWhole && (await findParts(bucket, key, about)))
      say(`${file.filename}: is in the bucket (${gb(sizeBytes)})`);
    else {
      say(`${file.filename}: fetching ${gb(sizeBytes)}`);
      const source = (from: number) => {
        if (from > 0) say(`${file.filename}: resuming at ${gb(from)}, where an earlier run broke off`);
        return reported(hub.read(file, about, from), from, about, file.filename, say);
      };
      await bucket.upload(key, source, { sizeBytes, sha256 });
      say(`${file.filename}: stored`);
    }
    files.push({
      folder: file.folder,
      filename: file.filename,
      sizeBytes,
      sha256,
      key,
      source: { repo: file.repo, revision, path: file.path },
    });
  }
  const manifest: Manifest = { v: 1, files };
  await bucket.putJson(MANIFEST_KEY, manifest);
  return manifest;
}

/** @throws ModelsProblem */
export function refuseWithoutLicence({ licence }: Wanted, acceptsLicence: boolean): void {
  if (!acceptsLicence)
    throw new ModelsProblem(
      `These models come under ${licence.name}: read and accept it at ${licence.url}, then run this again with --accept-licence`,
    );
}

/** Reports each tenth of a file above 100 MB. */
async function* reported(
  bytes: AsyncIterable<Uint8Array>,
  from: number,
  { sizeBytes }: HubFile,
  filename: string,
  say: (line: string) => void,
) {
  let at = from;
  for await (const piece of bytes) {
    const tenth = Math.floor((at * 10) / sizeBytes);
    at += piece.length;
    const now = Math.floor((at * 10) / sizeBytes);
    if (now > tenth && now < 10 && sizeBytes > 1e8) say(`${filename}: ${now * 10} %`);
    yield piece;
  }
}
