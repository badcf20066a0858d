// `npm run models -- seed|list|verify`: fills the models bucket from the hub once, and says what is in it. Only composes;
// exit code 0, or 1 with one sentence.

import { SSMClient } from '@aws-sdk/client-ssm';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { modelsSettings } from '../config.ts';
import { createS3Client } from '../images/client.ts';
import { openBucket } from '../models/bucket.ts';
import { createHub } from '../models/hub.ts';
import { MANIFEST_KEY, readManifest } from '../models/manifest.ts';
import { ModelsProblem } from '../models/problem.ts';
import { seed } from '../models/seed.ts';
import { sentenceOf } from '../models/sentence.ts';
import { gb } from '../models/size.ts';
import { tokenFrom } from '../models/token.ts';
import { verifyFile } from '../models/verify.ts';
import { FLUX2, parseWanted } from '../models/wanted.ts';
import { AppError } from '../core/errors.ts';
import { sleepUpTo } from '../process/ticker.ts';

const HELP = `npm run models -- seed|list|verify --bucket NAME

  seed     fetches the model files from the hub into the bucket, once; what is there is left
             --accept-licence         you have read and accept the licence that it names
             --token-parameter NAME   an SSM parameter (SecureString) with the hub's token; else HF_TOKEN
             --list FILE              other models than those of FLUX.2, as JSON
  list     the model files, and whether the bucket has them
  verify   compares the bucket with its manifest
             --full                   reads every byte (traffic out of the bucket's region costs)

  --bucket NAME, --region NAME        else MODELS_BUCKET, AWS_REGION
`;

const options = {
  bucket: { type: 'string' },
  region: { type: 'string' },
  list: { type: 'string' },
  'token-parameter': { type: 'string' },
  'accept-licence': { type: 'boolean' },
  full: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const say = (line: string) => void process.stdout.write(`${line}\n`);
let bucketName = '';

function parse(argv: string[]) {
  try {
    return parseArgs({ args: argv, options, allowPositionals: true });
  } catch (error) {
    throw new ModelsProblem(`${(error as Error).message.split('. ')[0]}; --help lists the flags`);
  }
}

async function models(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv);
  const [command, extra] = positionals;
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (!['seed', 'list', 'verify'].includes(command ?? '') || extra !== undefined)
    throw new ModelsProblem(`npm run models -- takes seed, list or verify; it is "${positionals.join(' ')}"`);
  const settings = modelsSettings(process.env);
  bucketName = values.bucket ?? settings.MODELS_BUCKET ?? '';
  if (bucketName === '')
    throw new ModelsProblem(
      'Which bucket? --bucket NAME, or MODELS_BUCKET; the deploy prints its name as ModelsBucket',
    );
  const region = values.region ?? settings.AWS_REGION;
  const bucket = openBucket(createS3Client({ endpoint: settings.AWS_ENDPOINT_URL_S3, region }), bucketName);
  if (command === 'verify') {
    const { files } = readManifest(await bucket.readJson(MANIFEST_KEY), bucketName);
    let wrong = 0;
    for (const file of files) {
      const finding = await verifyFile(bucket, file, values.full === true);
      if (finding !== 'ok') wrong += 1;
      say(`${file.folder}/${file.filename}  ${gb(file.sizeBytes)}  ${finding}`);
    }
    if (wrong > 0)
      throw new ModelsProblem(
        `${wrong} of ${files.length} are wrong: delete those objects below s3://${bucketName}/models/, then run npm run models -- seed`,
      );
    return 0;
  }
  const wanted = values.list === undefined ? FLUX2 : parseWanted(await textOf(values.list), values.list);
  if (command === 'list') {
    const found = await bucket.readJson(MANIFEST_KEY);
    const seeded = found === undefined ? [] : readManifest(found, bucketName).files;
    for (const { folder, filename, repo } of wanted.files) {
      const file = seeded.find((one) => one.folder === folder && one.filename === filename);
      say(`${folder}/${filename}  ${repo}  ${file ? `seeded, ${gb(file.sizeBytes)}` : 'not seeded'}`);
    }
    return 0;
  }
  const parameter = values['token-parameter'];
  const token =
    parameter === undefined
      ? settings.HF_TOKEN
      : await tokenFrom(
          new SSMClient({
            region,
            ...(settings.AWS_ENDPOINT_URL_SSM && { endpoint: settings.AWS_ENDPOINT_URL_SSM }),
          }),
          parameter,
        );
  const hub = createHub({
    url: settings.HF_ENDPOINT.replace(/\/$/, ''),
    token,
    pause: (attempt) => sleepUpTo(Math.min(1000 * 2 ** attempt, 30_000)),
  });
  const { files } = await seed({ hub, bucket, say }, wanted, values['accept-licence'] === true);
  const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  say(`${files.length} models, ${gb(total)}, are in s3://${bucketName}; hosts that start now take them`);
  return 0;
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ModelsProblem(`--list ${path} cannot be read: ${error.code}`);
  });
}

try {
  process.exitCode = await models(process.argv.slice(2));
} catch (error) {
  const sentence = error instanceof AppError ? error.message : sentenceOf(error, bucketName);
  process.stderr.write(`${sentence ?? (error instanceof Error ? error.stack : String(error))}\n`);
  process.exitCode = 1;
}
