// Settings in words: a row of docs/settings.md, a paragraph of --help. Both derive from the declarations.

import * as z from 'zod/mini';
import type { Setting, Table } from './setting.ts';

/** The default as Markdown; empty if there is none. */
export function defaultOf({ schema, otherwise }: Setting): string {
  if (otherwise !== undefined) return otherwise;
  const { default: value } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  if (value !== undefined && value !== '')
    return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
  return z.safeParse(schema, undefined).success ? '' : 'required';
}

/** The accepted values, from the words of the refusal. */
export const takes = ({ must }: Setting): string => must.replace(/^must (be |name )?/, '');

const WIDTH = 100;
const INDENT = '      ';

/** For a terminal, without Markdown. */
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
