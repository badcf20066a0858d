// The stacks as templates, from bundles that hold nothing: what is in them is not the concern here. A worker synthesises
// the same settings once, whatever number of its files asks.

import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings, type Settings } from '../../infra/settings.ts';
import { addStacks } from '../../infra/stacks.ts';

const folders: string[] = [];
process.once('exit', () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** CDK checks templates as it synthesises them: eight seconds of a worker's first time. test/infra/checks.test.ts does. */
const UNCHECKED = { '@aws-cdk/core:validateAgainstDefaultRules': false };

const USER_DATA = 'infra/host/user-data.sh';

/** What cdk.json says. */
export function defaults(): Record<string, unknown> {
  const { context } = JSON.parse(readFileSync('cdk.json', 'utf8')) as { context: Record<string, unknown> };
  return structuredClone(context);
}

/** Of ours alone: without the flags of CDK. */
export function settingsWith(changes: Partial<Record<keyof Settings, unknown>> = {}): Settings {
  return readSettings({ ...defaults(), ...changes });
}

/** An app with the three stacks, not yet synthesised. @param flags CDK's own, beside those of cdk.json */
export function appWith(
  changes: Partial<Record<keyof Settings, unknown>> = {},
  flags: Record<string, boolean> = UNCHECKED,
) {
  const folder = mkdtempSync(join(tmpdir(), 'comfyui-infra-'));
  folders.push(folder);
  const built = join(folder, 'built');
  for (const room of ['lambda/api', 'lambda/forwarder', 'lambda/controller', 'lambda/webhooks', 'host']) {
    mkdirSync(join(built, room), { recursive: true });
    writeFileSync(join(built, room, 'index.mjs'), `// ${room}\n`);
  }
  const app = new App({
    outdir: join(folder, 'cdk.out'),
    context: { ...defaults(), ...flags, 'aws:cdk:bundling-stacks': [] },
  });
  return { app, folder, ...addStacks(app, settingsWith(changes), { built, script: USER_DATA }) };
}

export type Resource = {
  Type: string;
  Properties: Record<string, unknown>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
};

export interface Templates {
  stateful: Template;
  gpuHosts: Template;
  compute: Template;
}

const synthesised = new Map<string, Templates>();

/** Not to be changed: other tests get the same. */
export function templatesWith(changes: Partial<Record<keyof Settings, unknown>> = {}): Templates {
  const key = JSON.stringify(changes);
  const known = synthesised.get(key);
  if (known) return known;
  const { stateful, gpuHosts, compute } = appWith(changes);
  const templates = {
    stateful: Template.fromStack(stateful),
    gpuHosts: Template.fromStack(gpuHosts),
    compute: Template.fromStack(compute),
  };
  synthesised.set(key, templates);
  return templates;
}

/** All resources of all three, by stack and logical id. */
export function resourcesOf(templates: Templates): [id: string, resource: Resource][] {
  return Object.entries(templates).flatMap(([stack, template]) =>
    Object.entries((template as Template).toJSON()['Resources'] as Record<string, Resource>).map(
      ([id, resource]): [string, Resource] => [`${stack}/${id}`, resource],
    ),
  );
}
