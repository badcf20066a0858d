// `npm run models -- seed|list|verify`: fills the models bucket from the hub, and lists or verifies it. Only composes;
// exit code 0, or 1 with one sentence.

import { readFile } from 'node:fs/promises';
import { modelsSettings } from '../config/models.ts';
import { createS3Client } from '../images/s3/client.ts';
import { openBucket } from '../models/bucket.ts';
import { seedFromHub } from '../models/from-hub.ts';
import { MANIFEST_KEY, readManifest } from '../models/manifest.ts';
import { ModelsProblem } from '../models/problem.ts';
import { refuseWithoutLicence } from '../models/seed.ts';
import { isOfS3, sentenceOf } from '../models/error-sentence.ts';
import { gb } from '../models/size.ts';
import { verifyFile } from '../models/verify.ts';
import { FLUX2, parseWanted, type Wanted } from '../models/wanted.ts';
import { sleepUpTo } from '../runtime/ticker.ts';
import { CommandError } from './api.ts';
import { readDeployment } from './deployment.ts';
import { explainedFor } from './doctor/aws.ts';
import { seedInRegion } from './in-region.ts';
import { flag, flagOf, type Line, PARAMETER, SECONDS, TEXT, toggle, type Values } from './flags.ts';
import { placeFlags, placeOf } from './place.ts';
import { runProgram } from './run.ts';
import { say } from './write.ts';

const seed = ['seed'];
const program = {
  name: 'npm run models --',
  usage: 'seed|list|verify --bucket NAME',
  about: 'The model files of the GPU hosts, in the bucket that a deployment has for them.',
  commands: {
    seed: { means: 'fetches the model files from the hub into the bucket, once; what is there is left' },
    list: { means: 'the model files, and whether the bucket has them' },
    verify: { means: 'compares the bucket with its manifest' },
  },
  flags: {
    acceptLicence: toggle('you have read and accept the licence that it names', { of: seed }),
    tokenParameter: flag(PARAMETER, 'NAME', "an SSM parameter (SecureString) with the hub's token", {
      of: seed,
      env: 'HUB_TOKEN_PARAMETER',
      otherwise: 'HF_TOKEN',
    }),
    inRegion: toggle(
      'on a machine of the deployment, which ends itself: no --bucket and no --token-parameter, its token is in the parameter /NAME/hub-token',
      { of: seed },
    ),
    name: { ...placeFlags.name, means: 'of that deployment', of: seed },
    every: flag(SECONDS, 'SECONDS', 'between two looks at that machine', { of: seed, default: 15 }),
    list: flag(TEXT, 'FILE', 'other models than those of FLUX.2, as JSON; in the region too', {
      of: ['seed', 'list'],
    }),
    full: toggle("reads every byte (traffic out of the bucket's region costs)", { of: ['verify'] }),
    bucket: flag(TEXT, 'NAME', 'the bucket', { env: 'MODELS_BUCKET' }),
    region: {
      ...placeFlags.region,
      means: 'of the bucket',
      otherwise: 'AWS_REGION, else us-east-1; with --in-region as cdk.json says',
    },
  },
};

let bucketName = '';

async function models({ command, given, values }: Line<typeof program.flags>): Promise<void> {
  const settings = modelsSettings(process.env);
  if (values.inRegion) return inRegion(given, values, settings.AWS_ENDPOINT_URL_S3);
  bucketName = values.bucket ?? '';
  if (bucketName === '')
    throw new ModelsProblem(
      'Which bucket? --bucket NAME, or MODELS_BUCKET; the deploy prints its name as ModelsBucket',
    );
  const { region = settings.AWS_REGION } = given;
  const bucket = openBucket(createS3Client({ endpoint: settings.AWS_ENDPOINT_URL_S3, region }), bucketName);
  if (command === 'verify') {
    const { files } = readManifest(await bucket.readJson(MANIFEST_KEY), bucketName);
    let wrong = 0;
    for (const file of files) {
      const finding = await verifyFile(bucket, file, values.full);
      if (finding !== 'ok') wrong += 1;
      await say(`${file.folder}/${file.filename}  ${gb(file.sizeBytes)}  ${finding}`);
    }
    if (wrong > 0)
      throw new ModelsProblem(
        `${wrong} of ${files.length} are wrong: delete those objects below s3://${bucketName}/models/, then run npm run models -- seed`,
      );
    return;
  }
  const wanted = await wantedBy(values.list);
  if (command === 'list') {
    const found = await bucket.readJson(MANIFEST_KEY);
    const seeded = found === undefined ? [] : readManifest(found, bucketName).files;
    for (const { folder, filename, repo } of wanted.files) {
      const file = seeded.find((one) => one.folder === folder && one.filename === filename);
      await say(`${folder}/${filename}  ${repo}  ${file ? `seeded, ${gb(file.sizeBytes)}` : 'not seeded'}`);
    }
    return;
  }
  const from = { ...settings, AWS_REGION: region, HUB_TOKEN_PARAMETER: values.tokenParameter };
  await seedFromHub({ bucket, say: tell, settings: from, sleepUpTo }, wanted, values.acceptLicence);
}

const tell = (line: string) => void process.stdout.write(`${line}\n`);

type All = Values<typeof program.flags>;

/** Seeds on the deployment's machine, which has the names of its bucket and token. */
async function inRegion(given: Partial<All>, values: All, endpoint: string | undefined): Promise<void> {
  const other = (['bucket', 'tokenParameter'] as const).find((name) => given[name] !== undefined);
  if (other !== undefined)
    throw new CommandError(`--in-region takes no ${flagOf(other)}: the deployment's machine has its own`);
  const wanted = await wantedBy(values.list);
  refuseWithoutLicence(wanted, values.acceptLicence);
  const place = placeOf(given, await readDeployment());
  const { region } = place;
  await seedInRegion({
    ...place,
    every: values.every * 1000,
    wanted,
    openBucket: (of) => openBucket(createS3Client({ endpoint, region }), (bucketName = of)),
    say: tell,
  }).catch((error: unknown) => {
    // An S3 error names the bucket already.
    throw isOfS3(error) ? error : explainedFor(place, error);
  });
}

async function wantedBy(list: string | undefined): Promise<Wanted> {
  return list === undefined ? FLUX2 : parseWanted(await textOf(list), list);
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ModelsProblem(`--list ${path} cannot be read: ${error.code}`);
  });
}

await runProgram(program, models, {
  explain: (error) => sentenceOf(error, bucketName),
});
