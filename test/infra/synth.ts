// The stacks as templates, synthesised once for all tests of a file, from bundles that hold nothing: what is in them is
// not the concern here.

import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, vi } from 'vitest';
import { readSettings, type Settings } from '../../infra/settings.ts';
import { addStacks } from '../../infra/stacks.ts';

// A synthesis takes a second alone, and many beside a build.
vi.setConfig({ testTimeout: 60_000 });

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

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

/** An app with the three stacks, not yet synthesised. */
export function appWith(changes: Partial<Record<keyof Settings, unknown>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'comfyui-infra-'));
  folders.push(folder);
  const built = join(folder, 'built');
  for (const room of ['lambda/api', 'lambda/forwarder', 'lambda/controller', 'lambda/webhooks', 'host']) {
    mkdirSync(join(built, room), { recursive: true });
    writeFileSync(join(built, room, 'index.mjs'), `// ${room}\n`);
  }
  const app = new App({
    outdir: join(folder, 'cdk.out'),
    context: { ...defaults(), 'aws:cdk:bundling-stacks': [] },
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

export function templatesWith(changes: Partial<Record<keyof Settings, unknown>> = {}): Templates {
  const { stateful, gpuHosts, compute } = appWith(changes);
  return {
    stateful: Template.fromStack(stateful),
    gpuHosts: Template.fromStack(gpuHosts),
    compute: Template.fromStack(compute),
  };
}

/** All resources of all three, by stack and logical id. */
export function resourcesOf(templates: Templates): [id: string, resource: Resource][] {
  return Object.entries(templates).flatMap(([stack, template]) =>
    Object.entries((template as Template).toJSON()['Resources'] as Record<string, Resource>).map(
      ([id, resource]): [string, Resource] => [`${stack}/${id}`, resource],
    ),
  );
}
