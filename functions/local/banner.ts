// What `npm start` says when it is up: what runs, which ComfyUI and where, what it lacks, and one line to paste.

import { createComfyUI } from '../comfyui/client.ts';
import type { LocalSettings } from '../config.ts';
import { lacks } from '../core/object-info.ts';
import type { Arrangement } from './arrangement.ts';

/** @param settings say where it listens, and whether anybody who gets there may use it */
export async function bannerOf(
  { url, comfyui, templates, directory, firstKey }: Arrangement,
  { API_HOST: host, API_KEYS: keys }: Pick<LocalSettings, 'API_HOST' | 'API_KEYS'>,
): Promise<string> {
  const isLocal = /^(localhost|127\.|::1$|\[::1\])/.test(host);
  const openLines = isLocal
    ? []
    : [
        `              listens at ${host}`,
        ...(keys === 'required'
          ? []
          : ['  WARNING     EVERYBODY WHO REACHES THIS MACHINE CAN USE ITS GPU: set API_KEYS=required']),
      ];
  const lines = [
    '',
    `  REST API    ${url}`,
    ...openLines,
    ...(firstKey === undefined
      ? []
      : [
          `  FIRST KEY   ${firstKey}`,
          '              shown this once; it may do everything. Draw others with npm run keys',
        ]),
    `  ComfyUI     ${describeComfyUI(comfyui)}`,
    `  Workflows   ${[...templates.keys()].join(', ')}`,
    `  Data        ${directory}`,
    ...(await missingLines(comfyui, templates)),
    '',
    '  Make an image:',
    '',
    `  curl -X POST ${url}/api/generate -H 'Content-Type: application/json' -d '{"prompt": "a red fox"}'`,
    '',
    `  Its state and its link: ${url}/api/status/<job_id>    Stop: Ctrl-C`,
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function describeComfyUI({ url, simulated, answers, note }: Arrangement['comfyui']): string {
  const waits = answers ? '' : ': IT DOES NOT ANSWER YET. Jobs are accepted and wait for it';
  const what = simulated
    ? `SIMULATED, its pictures say so (${url}). For a real one set COMFYUI_HOST`
    : `real, at ${url}${waits}`;
  return note === undefined ? what : `${what}\n              ${note}`;
}

/** A real ComfyUI without a template's files refuses its jobs: better said now. */
async function missingLines(
  comfyui: Arrangement['comfyui'],
  templates: Arrangement['templates'],
): Promise<string[]> {
  if (comfyui.simulated || !comfyui.answers) return [];
  const nodes = await createComfyUI(comfyui)
    .objectInfo()
    .catch(() => undefined);
  if (!nodes) return ['  Missing     not known yet: ComfyUI does not tell what it has'];
  return [...templates.values()].flatMap(({ name, graph }) => {
    const missing = lacks(graph, nodes).map(({ value, classType }) => value ?? `node ${classType}`);
    return missing.length === 0 ? [] : [`  Missing     ${name} cannot run without ${missing.join(', ')}`];
  });
}
