// `COMFYUI_URL=http://127.0.0.1:8188 npm run templates -- FOLDER --models FOLDER --input FOLDER`: converts ComfyUI's official
// templates, lets a live ComfyUI validate each without running it, and writes docs/templates.md. FOLDER is `templates` of the
// package comfyui-workflow-templates-json from PyPI. Files that a template names are made, empty, where that ComfyUI looks.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileInputs } from '../../functions/core/file-inputs.ts';
import { isModelFile, type ObjectInfo } from '../../functions/core/object-info.ts';
import { faultsOf } from '../../functions/core/preflight/faults.ts';
import { parseTemplate } from '../../functions/core/template.ts';
import { type Proposal, proposalOf } from '../../functions/core/workflow-file/proposal.ts';
import { objectInfoOf, whileBusy } from '../preflight-corpus/comfyui.ts';
import type { Posted } from '../preflight-corpus/compare.ts';
import { pageOf, type Row } from './page.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    models: { type: 'string' },
    input: { type: 'string' },
    version: { type: 'string', default: 'unknown' },
  },
});
const [folder] = positionals;
const { models, input, version } = values;
const url = process.env['COMFYUI_URL'];
if (url === undefined || folder === undefined || models === undefined || input === undefined)
  throw new Error('COMFYUI_URL=… npm run templates -- FOLDER --models FOLDER --input FOLDER');

interface Listed {
  name: string;
  openSource?: boolean;
  minComfyUIVersion?: string;
  logos?: { provider?: string | string[] }[];
}

const listed = (
  JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as { templates: Listed[] }[]
).flatMap(({ templates }) => templates);
const files = (await readdir(folder))
  .filter((file) => file.endsWith('.json') && !/^(index|fuse_options)/.test(file))
  .sort();
const proposals = async (info: ObjectInfo) =>
  new Map(
    await Promise.all(
      files.map(async (file): Promise<[string, Proposal]> => [
        basename(file, '.json'),
        proposalOf(await readFile(join(folder, file)), info, basename(file, '.json')),
      ]),
    ),
  );

await makeFiles(await proposals(await objectInfoOf(url)));
const info = await objectInfoOf(url);
const converted = await proposals(info);
const rows = await whileBusy(url, async (post) => {
  const all: Row[] = [];
  for (const [name, proposal] of converted) all.push(await rowOf(name, proposal, post));
  return all;
});
await writeFile('docs/templates.md', pageOf(rows, version));

async function rowOf(
  name: string,
  { graph, file, faults }: Proposal,
  post: (graph: Proposal['graph']) => Promise<Posted>,
): Promise<Row> {
  const { openSource, minComfyUIVersion: needs, logos = [] } = listed.find((one) => one.name === name) ?? {};
  const lacks = [...new Set(Object.values(graph).map((node) => node.class_type))].filter(
    (one) => !Object.hasOwn(info, one),
  );
  const partner = logos.flatMap(({ provider }) => provider ?? [])[0] ?? 'another';
  if (lacks.length > 0) {
    const isPartners = openSource === false || name.startsWith('api_');
    return isPartners ? { name, kind: 'partner', partner } : { name, kind: 'newer', lacks, needs };
  }
  parseTemplate(name, graph, file);
  const { status, body } = await post(graph);
  const reasons = Object.entries(body?.node_errors ?? {}).flatMap(([id, { class_type: classType, errors }]) =>
    errors.map(({ message, details }) => `node ${id} (${classType}): ${message} ${details}`.trim()),
  );
  if (status === 200 && reasons.length === 0 && faults.length === 0) {
    const ours = faultsOf({ graph, inputs: file.inputs }, info);
    return ours.length === 0
      ? { name, kind: 'accepted', inputs: Object.keys(file.inputs).length }
      : { name, kind: 'refused', needs, reasons: ours.map((one) => `ours alone: ${one}`) };
  }
  return { name, kind: 'refused', needs, reasons: [...faults.map(({ message }) => message), ...reasons] };
}

/** What a template names: model files in every folder, since a declaration does not say in which, and what people upload. */
async function makeFiles(of: Map<string, Proposal>): Promise<void> {
  const folders = await readdir(models!);
  const names = new Set<string>();
  for (const { graph } of of.values()) {
    for (const value of Object.values(graph).flatMap(({ inputs }) => Object.values(inputs)))
      if (isModelFile(value) && !value.includes('..'))
        for (const one of folders) names.add(join(models!, one, value));
    for (const { folder: where, path } of fileInputs(graph, []))
      if (where === 'input') names.add(join(input!, path));
  }
  for (const name of names) {
    await mkdir(dirname(name), { recursive: true });
    await writeFile(name, '', { flag: 'a' });
  }
}
