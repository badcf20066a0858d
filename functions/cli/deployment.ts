// The settings of cdk.json that the terminal programs use, checked for their form only: infra checks the values at synth.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { isInstalled } from '../runtime/package.ts';
import { packageRoot } from '../runtime/workflows.ts';
import { CommandError } from './api.ts';

const schema = z.object({
  context: z.object({
    name: z.string(),
    region: z.string(),
    instanceTypes: z.array(z.string()).min(1),
    usdPerHour: z.record(z.string(), z.record(z.string(), z.number())),
    amiParameter: z.string(),
    zones: z.array(z.string()).default([]),
    forwarderZones: z.array(z.string()).default([]),
    endpoint: z.string(),
    lambdaConcurrency: z.number(),
    spot: z.boolean(),
    maxHosts: z.number(),
    minHosts: z.number().default(0),
    warm: z.string().default(''),
    idleMinutes: z.number(),
  }),
});

export type Deployment = z.infer<typeof schema>['context'];

/** @throws CommandError if the file cannot be read as settings */
export async function readDeployment(path = join(packageRoot(), 'cdk.json')): Promise<Deployment> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8'))).context;
  } catch (error) {
    if (isInstalled())
      throw new CommandError(
        '--deployed needs the repository that was deployed, whose cdk.json names the deployment: run it there as npm run keys',
      );
    const why = error instanceof z.ZodError ? z.prettifyError(error).replaceAll(/\s+/g, ' ') : String(error);
    throw new CommandError(`${path} cannot be read as the settings of a deployment: ${why}`);
  }
}

/** Instance types without a price: their jobs have no cost. */
export function unpricedTypes({ instanceTypes, usdPerHour }: Deployment, region: string): string[] {
  return instanceTypes.filter((type) => usdPerHour[region]?.[type] === undefined);
}

/** US dollars per hour of a host of the first type. @throws CommandError if cdk.json has no price for it */
export function priceOf({ instanceTypes, usdPerHour, region }: Deployment): number {
  const price = usdPerHour[region]?.[instanceTypes[0]!];
  if (price === undefined)
    throw new CommandError(
      `cdk.json has no price for ${instanceTypes[0]} in ${region} in usdPerHour; npm run doctor prints AWS's`,
    );
  return price;
}
