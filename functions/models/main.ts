// The program that a GPU host, the builder or the seeder runs: `models.mjs pull` fetches the models, `models.mjs archive
// fetch|store|replace NAME FILE` moves the installed ComfyUI, `models.mjs seed --accept-licence` fills the bucket. Exit codes
// of `archive fetch`: 0 fetched, 3 none, 4 damaged.

import { statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { modelsSettings } from '../config/models.ts';
import { withoutSecrets } from '../core/secrets.ts';
import { modelsOf } from '../core/object-info.ts';
import { createS3Client } from '../images/s3/client.ts';
import { readGraph } from '../images/documents.ts';
import { connect } from '../runtime/connect.ts';
import { sleepUpTo } from '../runtime/ticker.ts';
import { fetchArchive, storeArchive } from './archive.ts';
import { type ModelBucket, openBucket } from './bucket.ts';
import { ModelsProblem } from './problem.ts';
import { pullModels } from './pull.ts';
import { seedFromHub } from './from-hub.ts';
import { readSeeding } from './seed-order.ts';
import { sentenceOf } from './error-sentence.ts';
import { gb } from './size.ts';
import { startThreads, type Threads } from './threads.ts';
import { FLUX2 } from './wanted.ts';

const ARCHIVE_EXIT = { fetched: 0, none: 3, damaged: 4 };
const USAGE =
  'usage: models.mjs pull, models.mjs seed --accept-licence, or models.mjs archive fetch|store|replace NAME FILE';
const say = (line: string) => void process.stdout.write(`${line}\n`);

type Settings = ReturnType<typeof modelsSettings>;

/** Of all threads together: 20 Gbit/s at 85 MB/s each are 30. */
const CONNECTIONS = 48;
const MOST_THREADS = 6;

function bucketOf(settings: Settings): ModelBucket {
  if (settings.MODELS_BUCKET === undefined)
    throw new ModelsProblem('MODELS_BUCKET must name the bucket of the models');
  const client = createS3Client({ endpoint: settings.AWS_ENDPOINT_URL_S3, region: settings.AWS_REGION });
  return openBucket(client, settings.MODELS_BUCKET);
}

async function run(argv: string[], settings: Settings): Promise<number> {
  const [command, verb, name, path] = argv;
  const bucket = bucketOf(settings);
  if (command === 'pull') {
    const { MODELS_PATH: directory } = settings;
    if (directory === undefined) throw new ModelsProblem('MODELS_PATH must name the folder for the models');
    return withThreads(bucket, async (pool) => {
      const namedByWaiting = () => namedIn(settings);
      const pulled = await pullModels({ bucket, pool, say, directory, freeBytes, namedByWaiting });
      const { files, fetchedBytes } = pulled;
      say(`${files} models are in ${directory}; ${gb(fetchedBytes)} of them were fetched now`);
      return 0;
    });
  }
  if (command === 'seed') {
    const wanted = (await readSeeding(bucket))?.seeding.wanted ?? FLUX2;
    await seedFromHub({ bucket, say, settings, sleepUpTo }, wanted, verb === '--accept-licence');
    return 0;
  }
  if (command !== 'archive' || name === undefined || path === undefined) throw new ModelsProblem(USAGE);
  if (verb === 'fetch')
    return withThreads(
      bucket,
      async (pool) => ARCHIVE_EXIT[await fetchArchive({ bucket, pool, say }, name, path)],
    );
  if (verb !== 'store' && verb !== 'replace') throw new ModelsProblem(USAGE);
  const stored = await storeArchive(bucket, name, path, verb === 'replace');
  say(stored ? `${name} is stored for the hosts` : `${name} is stored already`);
  return 0;
}

async function withThreads<T>(bucket: ModelBucket, work: (pool: Threads) => Promise<T>): Promise<T> {
  const threads = Math.min(availableParallelism(), MOST_THREADS);
  const connections = Math.ceil(CONNECTIONS / threads);
  const pool = startThreads(new URL('./part-thread.mjs', import.meta.url), {
    threads,
    connections,
    link: bucket.link,
  });
  try {
    return await work(pool);
  } finally {
    await pool.close();
  }
}

/** Jobs read at the head of the queue. */
const EXAMINED = 20;

async function namedIn(settings: Settings): Promise<string[][]> {
  const { TABLE_PREFIX: tablePrefix, IMAGES_BUCKET: imagesBucket } = settings;
  if (tablePrefix === undefined || imagesBucket === undefined) return [];
  const { jobs, images } = connect({
    region: settings.AWS_REGION,
    dynamodbEndpoint: settings.AWS_ENDPOINT_URL_DYNAMODB,
    s3Endpoint: settings.AWS_ENDPOINT_URL_S3,
    tablePrefix,
    bucket: imagesBucket,
  });
  const head = await jobs.listWork('waiting', EXAMINED);
  const requests = await jobs.readRequests(head.map(({ jobId }) => jobId));
  const named: string[][] = [];
  for (const { jobId } of head) {
    const request = requests.get(jobId);
    const graph = request && (await readGraph(images, request));
    if (graph) named.push(modelsOf(graph));
  }
  return named;
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

const reported = (error: unknown) =>
  sentenceOf(error, process.env['MODELS_BUCKET'] ?? '') ??
  (error instanceof Error ? (error.stack ?? error.message) : String(error));

try {
  process.exitCode = await run(process.argv.slice(2), modelsSettings(process.env));
} catch (error) {
  process.stderr.write(`${withoutSecrets(reported(error))}\n`);
  process.exitCode = 1;
}
