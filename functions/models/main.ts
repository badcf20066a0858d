// What a GPU host (or the builder) runs from its bundle, before the host process: `models.mjs pull` brings the models, `models.mjs archive
// fetch|store NAME FILE` takes and gives the installed ComfyUI. Exit codes of `fetch`: 0 there, 3 none, 4 damaged.

import { statfs } from 'node:fs/promises';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { modelsSettings } from '../config.ts';
import { createS3Client } from '../images/client.ts';
import { sleepUpTo } from '../process/ticker.ts';
import { fetchArchive, storeArchive } from './archive.ts';
import { openBucket } from './bucket.ts';
import { download, type DownloadDeps } from './download.ts';
import { ModelsProblem, sentenceOf } from './problem.ts';
import { pullModels } from './pull.ts';
import { gb } from './size.ts';
import { type Errand, inThread, type Outcome } from './thread.ts';

const ARCHIVE_EXIT = { fetched: 0, none: 3, damaged: 4 };
const USAGE = 'usage: models.mjs pull, or models.mjs archive fetch|store|replace NAME FILE';
const say = (line: string) => void process.stdout.write(`${line}\n`);

type Settings = ReturnType<typeof modelsSettings>;

function depsOf(settings: Settings): DownloadDeps {
  if (settings.MODELS_BUCKET === undefined)
    throw new ModelsProblem('MODELS_BUCKET must name the bucket of the models');
  const client = createS3Client({ endpoint: settings.AWS_ENDPOINT_URL_S3, region: settings.AWS_REGION });
  return {
    bucket: openBucket(client, settings.MODELS_BUCKET),
    say,
    pause: (attempt) => sleepUpTo(Math.min(500 * 2 ** attempt, 10_000)),
  };
}

async function run(argv: string[], settings: Settings): Promise<number> {
  const [command, verb, name, path] = argv;
  const deps = depsOf(settings);
  if (command === 'pull') {
    const { MODELS_PATH: directory } = settings;
    if (directory === undefined) throw new ModelsProblem('MODELS_PATH must name the folder for the models');
    const freeBytes = async (folder: string) => {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    };
    const fetchFile = inThread(new URL(import.meta.url));
    const { files, fetchedBytes } = await pullModels({
      bucket: deps.bucket,
      directory,
      freeBytes,
      fetchFile,
    });
    say(`${files} models are in ${directory}; ${gb(fetchedBytes)} of them were fetched now`);
    return 0;
  }
  if (command !== 'archive' || name === undefined || path === undefined) throw new ModelsProblem(USAGE);
  if (verb === 'fetch') return ARCHIVE_EXIT[await fetchArchive(deps, name, path)];
  if (verb !== 'store' && verb !== 'replace') throw new ModelsProblem(USAGE);
  const stored = await storeArchive(deps.bucket, name, path, verb === 'replace');
  say(stored ? `${name} is stored for the hosts` : `${name} is stored already`);
  return 0;
}

const told = (error: unknown) =>
  sentenceOf(error, process.env['MODELS_BUCKET'] ?? '') ??
  (error instanceof Error ? (error.stack ?? error.message) : String(error));

if (isMainThread) {
  try {
    process.exitCode = await run(process.argv.slice(2), modelsSettings(process.env));
  } catch (error) {
    process.stderr.write(`${told(error)}\n`);
    process.exitCode = 1;
  }
} else {
  const { file, path } = workerData as Errand;
  const outcome: Outcome = await download(depsOf(modelsSettings(process.env)), file.key, path, file).then(
    (fetched) => ({ fetched }),
    (error: unknown) => ({ problem: told(error) }),
  );
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window's
  parentPort!.postMessage(outcome);
}
