// What `npm start` prints once it is up: the services, which ComfyUI and where, what is missing there, one line to paste.

import { createComfyUI } from '../comfyui/client.ts';
import type { LocalSettings } from '../config/local.ts';
import { exampleOf } from '../core/example.ts';
import { type MissingRequirement, missingRequirements, type ObjectInfo } from '../core/object-info.ts';
import { faultsOf } from '../core/preflight/faults.ts';
import type { Template } from '../core/template.ts';
import { programAsTyped } from '../runtime/package.ts';
import type { ChosenComfyUI } from './comfyui.ts';
import type { LocalStack } from './local-stack.ts';

/** Where the API is, and who may use it. @param settings the address that it listens at, and whether it asks for keys */
export function addressesOf(
  { url, wireUrl, firstKey }: Pick<LocalStack, 'url' | 'wireUrl' | 'firstKey'>,
  { API_HOST: host, API_KEYS: keys }: Pick<LocalSettings, 'API_HOST' | 'API_KEYS'>,
): string {
  const isLocal = /^(localhost|127\.|::1$|\[::1\])/.test(host);
  const openLines = isLocal
    ? []
    : [
        `              listens at ${host}`,
        ...(keys === 'required'
          ? []
          : ['  WARNING     EVERYBODY WHO REACHES THIS MACHINE CAN USE ITS GPU: set API_KEYS=required']),
      ];
  return linesOf([
    '',
    `  REST API    ${url}`,
    `  Console     ${url}/ is a page for people, ${url}/docs describes the API`,
    ...(wireUrl === undefined ? [] : [`  ComfyUI API ${wireUrl}, for clients of ComfyUI`]),
    ...openLines,
    ...(firstKey === undefined
      ? []
      : [
          `  FIRST KEY   ${firstKey}`,
          `              shown this once; it may do everything. Draw others with ${programAsTyped('keys')} create`,
        ]),
  ]);
}

/** What runs the jobs, what it lacks, and what to type next: once that is known. @throws as the ComfyUIs of the stack do */
export async function bannerOf(
  { url, comfyuis: starting, templates, directory, takenOver, firstKey }: LocalStack,
  { API_KEYS: keys }: Pick<LocalSettings, 'API_KEYS'>,
): Promise<string> {
  const comfyuis = await starting;
  const nodes = await nodesOf(comfyuis);
  return linesOf([
    `  ComfyUI     ${comfyuis.map(describeComfyUI).join('\n              ')}`,
    `  Workflows   ${[...templates.keys()].join(', ')}`,
    `  Data        ${directory}`,
    ...(takenOver === undefined
      ? []
      : [
          `              ${takenOver.items} items and ${takenOver.images} images of release 0.1 are taken over; its folders dynamodb and s3 may be deleted`,
        ]),
    ...missingLines(nodes, templates),
    '',
    ...exampleLines(
      url,
      [...templates.values()],
      nodes,
      keys === 'required' ? (firstKey ?? '<your key>') : undefined,
    ),
    '',
    `  Its state and its link: ${url}/api/status/<job_id>    Stop: Ctrl-C`,
    '',
  ]);
}

function linesOf(lines: string[]): string {
  return `${lines.join('\n')}\n`;
}

function describeComfyUI({ url, simulated, answers, note }: ChosenComfyUI): string {
  const waits = answers ? '' : ': IT DOES NOT ANSWER YET. Jobs are accepted and wait for it';
  const what = simulated
    ? `SIMULATED, its pictures say so (${url}). For a real one set COMFYUI_HOST`
    : `real, at ${url}${waits}`;
  return note === undefined ? what : `${what}\n              ${note}`;
}

/** What each lists; `unlisted` if one answers without its object_info; undefined if none answers. */
type Listed = ObjectInfo[] | 'unlisted' | undefined;

async function nodesOf(comfyuis: ChosenComfyUI[]): Promise<Listed> {
  const answering = comfyuis.filter(({ answers }) => answers);
  if (answering.length === 0) return undefined;
  const listed = await Promise.all(
    answering.map((comfyui) =>
      createComfyUI(comfyui)
        .objectInfo()
        .catch(() => undefined),
    ),
  );
  const known = listed.filter((nodes) => nodes !== undefined);
  return known.length === 0 ? 'unlisted' : known;
}

/** As the ComfyUI answers that lacks the least. */
function lackOf(
  { graph }: Template,
  nodes: ObjectInfo[],
): { info: ObjectInfo; missing: MissingRequirement[] } {
  const [least] = nodes
    .map((info) => ({ info, missing: missingRequirements(graph, info) }))
    .sort((a, b) => a.missing.length - b.missing.length);
  return least!;
}

/** ComfyUI refuses jobs of a template that is wrong or whose nodes and files are missing: the banner warns of that. */
function missingLines(nodes: Listed, templates: LocalStack['templates']): string[] {
  if (nodes === undefined) return [];
  if (nodes === 'unlisted') return ['  Missing     not known yet: ComfyUI does not list its node classes'];
  return [...templates.values()].flatMap((template) => {
    const { info, missing } = lackOf(template, nodes);
    const { name } = template;
    return [
      ...(missing.length === 0
        ? []
        : [`  Missing     ${name} cannot run without ${missing.map(nameOf).join(', ')}`]),
      ...faultsOf(template, info).map((fault) => `  Wrong       ${name}: ${fault}`),
    ];
  });
}

function nameOf({ node, classType, value }: MissingRequirement): string {
  return `${value ?? `the node class ${classType}`} (node ${node})`;
}

/** An example for the first template that needs no file and misses nothing, or the next best. @param key for the API */
function exampleLines(url: string, templates: Template[], nodes: Listed, key: string | undefined): string[] {
  const runs = (template: Template) => {
    if (typeof nodes !== 'object') return true;
    const { info, missing } = lackOf(template, nodes);
    return missing.length === 0 && faultsOf(template, info).length === 0;
  };
  const needsNoFile = (template: Template) => exampleOf(template).files.length === 0;
  const template =
    templates.find((one) => runs(one) && needsNoFile(one)) ?? templates.find(runs) ?? templates[0]!;
  const { values, files } = exampleOf(template);
  const body = {
    ...(template !== templates[0] && { workflow: template.name }),
    ...values,
    ...Object.fromEntries(files.map(({ name }) => [name, '<name>'])),
  };
  const authorization = key === undefined ? '' : ` -H ${quoted(`Authorization: Bearer ${key}`)}`;
  const json = `-H 'Content-Type: application/json'${authorization}`;
  const make = `  curl -X POST ${url}/api/generate ${json} -d ${quoted(spaced(body))}`;
  if (files.length === 0) return ['  Make an image:', '', make];
  const named = files.map(({ name }) => name).join(', ');
  const upload = `  curl${authorization} -F image=@photo.png ${url}/api/upload/image`;
  if (files.some(({ type }) => type !== 'image')) {
    const flags = files.map(({ name }) => ` --${name.replaceAll('_', '-')} FILE`).join('');
    return [
      `  ${template.name} needs files (${named}), which this sends first:`,
      '',
      `  ${programAsTyped('generate')} --workflow ${template.name}${flags}`,
    ];
  }
  const what = files.length === 1 ? 'an image' : `images (${named})`;
  return [`  ${template.name} needs ${what}: send it first, which answers with its name`, '', upload, make];
}

/** Quoted for a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** JSON with spaces after colons and commas. */
function spaced(body: Record<string, unknown>): string {
  const fields = Object.entries(body).map(([name, value]) => `"${name}": ${JSON.stringify(value)}`);
  return `{${fields.join(', ')}}`;
}
