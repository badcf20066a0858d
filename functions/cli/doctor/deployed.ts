// The checks of a deployment in an AWS account, in the order in which to correct problems.

import { createS3Client } from '../../images/s3/client.ts';
import { openBucket } from '../../models/bucket.ts';
import { MANIFEST_KEY, readManifest } from '../../models/manifest.ts';
import { sentenceOf } from '../../models/error-sentence.ts';
import { gb } from '../../models/size.ts';
import { createStoreClient, engineOf } from '../../store/dynamodb/client.ts';
import { createFleetStore } from '../../store/fleet.ts';
import { createHosts } from '../../store/hosts.ts';
import { createJobs } from '../../store/jobs.ts';
import { createMachines } from '../../machines/machines.ts';
import type { DoctorSettings } from '../../config/cli.ts';
import type { Deployment } from '../deployment.ts';
import { apiFinding } from './api.ts';
import { accountPlan } from './account-plan.ts';
import { type Account, whoAsks } from './aws.ts';
import { after, type Check, type Finding, lacking, next, ok } from './check.ts';
import { controllerFinding, hostsFinding, lastErrorFinding, type Where } from './fleet.ts';
import { machineImage } from './machine-image.ts';
import { readZones, typesFinding, type Zone, zonesFinding } from './offerings.ts';
import { prices } from './prices.ts';
import { gpuQuota, lambdaConcurrency } from './quotas.ts';
import { bootstrap, type Outputs, readStacks } from './stacks.ts';

/** @param isSaid whether cdk.json gives the region as well */
export function deployedChecks(deployment: Deployment, settings: DoctorSettings, isSaid: boolean): Check[] {
  const { name, region } = deployment;
  const account = whoAsks(region);
  const zones = account.then(() => readZones(deployment, region));
  const stacks = account.then(() => readStacks(name, region));
  const outputs = stacks.then((found) => found.outputs);
  const tables = outputs.then((found) => readTables(found, deployment));
  // Each check that awaits one of these reports its rejection in a line of its own.
  for (const promise of [account, zones, stacks, outputs, tables]) promise.catch(() => undefined);

  const signedIn = (run: (account: Account) => Promise<Finding>) => () =>
    after(account, 'without credentials', run);
  const offered = (finding: (zones: Zone[], deployment: Deployment) => Finding) =>
    signedIn(async () => finding(await zones, deployment));
  const deployed = (run: (outputs: Outputs) => Promise<Finding>) =>
    signedIn(() => after(outputs, 'before everything is deployed', run));
  const seen = (run: (tables: Read) => Finding) => deployed(() => tables.then(run));

  return [
    { name: 'credentials', run: async () => ok(`account ${(await account).id} as ${(await account).arn}`) },
    {
      name: 'region',
      run: () =>
        Promise.resolve(ok(`${region}, ${isSaid ? 'as cdk.json says' : 'which cdk.json does not say'}`)),
    },
    { name: 'cdk bootstrap', run: signedIn((found) => bootstrap(found, region)) },
    {
      name: 'account plan',
      run: signedIn(() => accountPlan(settings.AWS_ENDPOINT_URL_FREETIER ?? settings.AWS_ENDPOINT_URL)),
    },
    { name: 'instance types', run: offered(typesFinding) },
    { name: 'zones', run: offered(zonesFinding) },
    { name: 'machine image', run: signedIn(() => machineImage(deployment, region)) },
    { name: 'prices', run: signedIn(() => prices(deployment, region)) },
    { name: 'quota on demand', run: signedIn(() => gpuQuota(deployment, region, 'onDemand')) },
    { name: 'quota spot', run: signedIn(() => gpuQuota(deployment, region, 'spot')) },
    { name: 'lambda concurrency', run: signedIn(() => lambdaConcurrency(deployment, region)) },
    {
      name: 'stacks',
      run: signedIn(async () => {
        const { rolledBack } = await stacks;
        return rolledBack ?? ok(`${name}-stateful, ${name}-gpu-hosts and ${name}-compute`);
      }),
    },
    { name: 'cloudfront', run: signedIn(() => cloudFront(deployment, outputs)) },
    { name: 'launches', run: deployed((found) => launches(found, region)) },
    { name: 'models', run: deployed((found) => modelsFinding(found, deployment, settings)) },
    {
      name: 'api',
      run: deployed((found) =>
        apiFinding(
          found.Url,
          settings.API_KEY,
          `aws logs tail /${name}/api --since 1h --region ${region}`,
          `API_KEY=$(${found.ApiKeyCommand}) npm run doctor`,
        ),
      ),
    },
    { name: 'controller', run: seen(({ fleet, now, where }) => controllerFinding(fleet, now, where)) },
    {
      name: 'gpu hosts',
      run: seen(({ fleet, hosts, now, where }) => hostsFinding(fleet, hosts, now, where)),
    },
    { name: 'jobs', run: seen(({ waiting, held }) => ok(`${waiting} wait, ${held} are held by hosts`)) },
    { name: 'last error', run: seen(({ fleet, now, where }) => lastErrorFinding(fleet, now, where)) },
  ];
}

interface Read {
  fleet: Awaited<ReturnType<ReturnType<typeof createFleetStore>['read']>>;
  hosts: Awaited<ReturnType<ReturnType<typeof createHosts>['list']>>;
  waiting: number;
  held: number;
  now: number;
  where: Where;
}

async function readTables(outputs: Outputs, { name, region }: Deployment): Promise<Read> {
  const store = createStoreClient({ region });
  const jobs = createJobs(engineOf(store, outputs.TablePrefix));
  const [fleet, hosts, waiting, held] = await Promise.all([
    createFleetStore(engineOf(store, outputs.TablePrefix)).read(),
    createHosts(engineOf(store, outputs.TablePrefix)).list(),
    jobs.countWork('waiting'),
    jobs.countWork('held'),
  ]);
  return {
    fleet,
    hosts,
    waiting,
    held,
    now: store.clock.now(),
    where: { name, region, group: outputs.AutoScalingGroup },
  };
}

/** No API call reveals it in advance: CloudFront refuses an unverified account at deployment. */
function cloudFront({ endpoint }: Deployment, outputs: Promise<Outputs>): Promise<Finding> {
  if (endpoint !== 'cloudfront') return Promise.resolve(ok(`not used: endpoint is ${endpoint} in cdk.json`));
  return after(
    outputs,
    'whether AWS lets this account have it shows at the deployment; "endpoint": "function-url" in cdk.json does without it',
    () => Promise.resolve(ok('deployed')),
  );
}

async function launches({ AutoScalingGroup: group }: Outputs, region: string): Promise<Finding> {
  const { suspended, instances, max } = await createMachines({ group, region }).describe();
  return suspended
    ? next(`launch suspended (${suspended.why}): no host starts; when its cause is gone`, suspended.resume)
    : ok(`not suspended; ${instances.length} of at most ${max} instances`);
}

async function modelsFinding(
  { ModelsBucket }: Outputs,
  { name, region }: Deployment,
  settings: DoctorSettings,
): Promise<Finding> {
  const seed = `npm run models -- seed --in-region --name ${name} --region ${region}; or through this machine: npm run models -- seed --bucket ${ModelsBucket} --region ${region}`;
  const bucket = openBucket(createS3Client({ endpoint: settings.AWS_ENDPOINT_URL_S3, region }), ModelsBucket);
  try {
    const found = await bucket.readJson(MANIFEST_KEY);
    if (found === undefined)
      return next(`none: s3://${ModelsBucket} was never filled, so no host can work`, seed);
    const { files } = readManifest(found, ModelsBucket);
    return ok(`${files.length} files, ${gb(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))}`);
  } catch (error) {
    const sentence = sentenceOf(error, ModelsBucket);
    throw sentence === undefined ? error : lacking(sentence, seed);
  }
}
