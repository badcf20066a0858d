// `npm run models -- seed|list|verify`: fills the models bucket from the hub once, and says what is in it. Only composes;
// exit code 0, or 1 with one sentence.

import { S3ServiceException } from '@aws-sdk/client-s3';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { modelsSettings } from '../config/models.ts';
import { createS3Client } from '../images/client.ts';
import { openBucket } from '../models/bucket.ts';
import { seedFromHub } from '../models/from-hub.ts';
import { MANIFEST_KEY, readManifest } from '../models/manifest.ts';
import { ModelsProblem } from '../models/problem.ts';
import { refuseWithoutLicence } from '../models/seed.ts';
import { sentenceOf } from '../models/error-sentence.ts';
import { gb } from '../models/size.ts';
import { verifyFile } from '../models/verify.ts';
import { FLUX2, parseWanted, type Wanted } from '../models/wanted.ts';
import { AppError } from '../core/errors.ts';
import { sleepUpTo } from '../runtime/ticker.ts';
import { CommandError } from './api.ts';
import { readDeployment } from './deployment.ts';
import { explainedFor } from './doctor/aws.ts';
import { seedInRegion } from './in-region.ts';
import { placeOf } from './place.ts';

const HELP = `npm run models -- seed|list|verify --bucket NAME

  seed     fetches the model files from the hub into the bucket, once; what is there is left
             --accept-licence         you have read and accept the licence that it names
             --token-parameter NAME   an SSM parameter (SecureString) with the hub's token; else HF_TOKEN
             --list FILE              other models than those of FLUX.2, as JSON; in the region too
             --in-region              on a machine of the deployment, which ends itself: no --bucket and no
                                      --token-parameter, its token is in the parameter /NAME/hub-token
             --name NAME              of the deployment, else as cdk.json says
             --every SECONDS          between two looks at that machine, else 15
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
  'in-region': { type: 'boolean' },
  name: { type: 'string' },
  every: { type: 'string' },
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

type Flags = ReturnType<typeof parse>['values'];

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
  if (values['in-region']) {
    await inRegion(command!, values, settings.AWS_ENDPOINT_URL_S3);
    return 0;
  }
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
  const wanted = await wantedBy(values);
  if (command === 'list') {
    const found = await bucket.readJson(MANIFEST_KEY);
    const seeded = found === undefined ? [] : readManifest(found, bucketName).files;
    for (const { folder, filename, repo } of wanted.files) {
      const file = seeded.find((one) => one.folder === folder && one.filename === filename);
      say(`${folder}/${filename}  ${repo}  ${file ? `seeded, ${gb(file.sizeBytes)}` : 'not seeded'}`);
    }
    return 0;
  }
  const HUB_TOKEN_PARAMETER = values['token-parameter'] ?? settings.HUB_TOKEN_PARAMETER;
  const from = { ...settings, AWS_REGION: region, HUB_TOKEN_PARAMETER };
  await seedFromHub({ bucket, say, settings: from, sleepUpTo }, wanted, values['accept-licence'] === true);
  return 0;
}

/** On the deployment's machine, which knows its bucket and its token. */
async function inRegion(command: string, flags: Flags, endpoint: string | undefined): Promise<void> {
  if (command !== 'seed') throw new ModelsProblem(`--in-region is a flag of seed, not of ${command}`);
  const other = (['bucket', 'token-parameter'] as const).find((flag) => flags[flag] !== undefined);
  if (other !== undefined)
    throw new ModelsProblem(`--in-region takes no --${other}: the deployment's machine has its own`);
  const wanted = await wantedBy(flags);
  refuseWithoutLicence(wanted, flags['accept-licence'] === true);
  const every = Number(flags.every ?? 15);
  if (!(every > 0)) throw new ModelsProblem(`--every must be seconds above 0; it is "${flags.every}"`);
  const place = placeOf(flags, await readDeployment());
  const { region } = place;
  await seedInRegion({
    ...place,
    every: every * 1000,
    wanted,
    openBucket: (of) => openBucket(createS3Client({ endpoint, region }), (bucketName = of)),
    say,
  }).catch((error: unknown) => {
    // What S3 refuses is said with the bucket's name.
    throw error instanceof S3ServiceException ? error : explainedFor(place, error);
  });
}

async function wantedBy({ list }: Flags): Promise<Wanted> {
  return list === undefined ? FLUX2 : parseWanted(await textOf(list), list);
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ModelsProblem(`--list ${path} cannot be read: ${error.code}`);
  });
}

try {
  process.exitCode = await models(process.argv.slice(2));
} catch (error) {
  const isSaid = error instanceof AppError || error instanceof CommandError;
  const sentence = isSaid ? error.message : sentenceOf(error, bucketName);
  process.stderr.write(`${sentence ?? (error instanceof Error ? error.stack : String(error))}\n`);
  process.exitCode = 1;
}
