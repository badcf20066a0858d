// Settings in words: a line of a table for docs/settings.md, a paragraph for --help. Both say what the declarations do.

import * as z from 'zod';
import type { Setting, Table } from './setting.ts';

/** As Markdown; empty where nothing is the default. */
export function defaultOf({ schema, otherwise }: Setting): string {
  if (otherwise !== undefined) return otherwise;
  const { default: value } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  if (value !== undefined && value !== '')
    return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
  return schema.safeParse(undefined).success ? '' : 'required';
}

/** What a refusal asks for is what it takes. */
export const takes = ({ must }: Setting): string => must.replace(/^must (be |name )?/, '');

const WIDTH = 100;
const INDENT = '      ';

/** For a terminal, which shows no Markdown. */
export function helpOfSettings(table: Table): string {
  const paragraphs = Object.entries(table).map(([name, one]) => {
    const value = defaultOf(one).replaceAll('`', '');
    const means = wrapped(one.means.replaceAll('`', ''));
    return `  ${name}${value === '' ? '' : `  (${value})`}\n${means}`;
  });
  return `${paragraphs.join('\n')}\n`;
}

function wrapped(words: string): string {
  const lines = [''];
  for (const word of words.split(' ')) {
    const line = `${lines.at(-1)!} ${word}`;
    if (line.length + INDENT.length > WIDTH) lines.push(` ${word}`);
    else lines[lines.length - 1] = line;
  }
  return lines.map((line) => `${INDENT}${line.trimStart()}`).join('\n');
}
