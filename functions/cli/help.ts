// The text of --help, from a program's table of flags.

import { type Flag, flagOf, type Flags, type Program } from './flags.ts';

const WIDTH = 100;
const COLUMN = 22;

export function helpOf({ name, usage, about, flags, commands = {}, notes = [] }: Program<Flags>): string {
  const all = Object.entries(flags);
  const entriesOf = (of: string | undefined, indent: number) =>
    all.flatMap(([name, flag]) => {
      if (of === undefined ? flag.of !== undefined : !flag.of?.includes(of)) return [];
      const left = `${flagOf(name)} ${flag.value}`.trimEnd();
      return entry(flag.short === undefined ? left : `${left}, -${flag.short}`, meaningOf(flag), indent);
    });
  const ofCommands = Object.entries(commands).flatMap(([command, { means, word = '' }]) => [
    entry(`${command} ${word}`.trimEnd(), means, 2),
    ...entriesOf(command, 4),
  ]);
  const lines = [
    `${name} ${usage}`,
    '',
    ...wrap(about, 2),
    '',
    ...(ofCommands.length > 0 ? [...ofCommands, ''] : []),
    ...entriesOf(undefined, 2),
    entry('--help, -h', 'this', 2),
    ...notes.flatMap((note) => ['', ...wrap(note, 2)]),
  ];
  return lines.join('\n');
}

/** `ends after so long (a number from 1 to 60); else 10`, `which API; else API_URL, else the one that runs here`. */
function meaningOf({ means, kind, env, otherwise, default: value }: Flag): string {
  const bounds = /^be (a (?:whole )?number .*)$/.exec(kind?.must ?? '')?.[1];
  const what = bounds === undefined ? means : `${means} (${bounds})`;
  const without =
    otherwise ?? (kind && value !== undefined ? JSON.stringify(value).replaceAll(/["[\]]/g, '') : '');
  const others = [env ?? '', without].filter((one) => one !== '').map((one) => `else ${one}`);
  return others.length === 0 ? what : `${what}; ${others.join(', ')}`;
}

function entry(left: string, right: string, indent: number): string {
  const column = COLUMN + indent;
  const [first = '', ...more] = wrap(right, column);
  const start = ' '.repeat(indent) + left;
  return [
    start.length < column - 1 ? start.padEnd(column) + first.trimStart() : `${start}\n${first}`,
    ...more,
  ].join('\n');
}

function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((text) => ' '.repeat(indent) + text);
}
