// The two files of a workflow as texts that people read and compare: a node, or an input, a line.

import { stringifyJson } from '../json.ts';
import { isRecord } from '../json-value.ts';
import type { Graph } from '../object-info.ts';
import type { WorkflowFiles } from '../template.ts';

export function filesOf(graph: Graph, inputsFile: object): WorkflowFiles {
  return { graph: lined(graph, '  '), inputs: `${written(inputsFile)}\n` };
}

function written(file: object): string {
  const fields = Object.entries(file).map(([name, value]: [string, unknown]) => {
    const isOfParts = ['inputs', 'presets'].includes(name) && isRecord(value);
    const text = isOfParts
      ? lined(value, '    ').trimEnd().replace(/}$/, '  }')
      : // They have texts alone: one a line.
        name === 'translations'
        ? JSON.stringify(value, undefined, 2).replaceAll('\n', '\n  ')
        : stringifyJson(value);
    return `  ${JSON.stringify(name)}: ${text}`;
  });
  return `{\n${fields.join(',\n')}\n}`;
}

function lined(record: object, indent: string): string {
  const lines = Object.entries(record).map(
    ([name, value]) => `${indent}${JSON.stringify(name)}: ${stringifyJson(value)}`,
  );
  return lines.length === 0 ? '{}\n' : `{\n${lines.join(',\n')}\n}\n`;
}
