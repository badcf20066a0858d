// The tables of a synthesised deployment, and their region.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

export interface DeployedTables {
  region: string;
  names: string[];
}

const template = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).optional() }),
  ),
});
const manifest = z.object({
  artifacts: z.record(z.string(), z.object({ type: z.string(), environment: z.string().optional() }).loose()),
});

/** Reads the templates of a synthesis. @param folder cdk.out */
export async function tablesIn(folder: string): Promise<DeployedTables> {
  const read = async (file: string) => JSON.parse(await readFile(join(folder, file), 'utf8')) as unknown;
  const { artifacts } = manifest.parse(await read('manifest.json'));
  const environments = Object.values(artifacts).flatMap(({ environment }) => environment ?? []);
  const files = (await readdir(folder)).filter((file) => file.endsWith('.template.json'));
  const names: string[] = [];
  for (const file of files)
    for (const { Type, Properties } of Object.values(template.parse(await read(file)).Resources))
      if (Type === 'AWS::DynamoDB::Table') names.push(String(Properties!['TableName']));
  // "aws://unknown-account/us-east-1"
  return { region: environments[0]!.split('/').at(-1)!, names: names.toSorted() };
}
