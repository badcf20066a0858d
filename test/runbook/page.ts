// What a page of documentation would have a person type: every statement of its `sh` fences, and inline code that begins
// with aws, npx or npm. A comment that no reader sees says which of them are not run here, and why:
//
// <!-- not run
// `npm run deploy`: the reason
// `npm run bench …`: that of all that begin so
// -->

import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';

export interface Command {
  text: string;
  page: string;
  line: number;
  /** The statements of its fence that set something for it. */
  before: string[];
}

export interface Page {
  commands: Command[];
  /** The reason by the command's text; one that ends with … is of all that begin so. */
  notRun: Map<string, string>;
}

const FENCE = /^```(\w*)\n([^]*?)^```$/gm;
const INLINE = /`((?:aws|npx|npm)\s[^`]+)`/g;
const MARKS = /^<!-- not run\n([^]*?)\n-->$/gm;
const MARK = /^`([^`]+)`: (\S.*)$/;

export async function readPage(page: string): Promise<Page> {
  const text = await readFile(page, 'utf8');
  const lineAt = (index: number) => text.slice(0, index).split('\n').length;
  const notRun = new Map<string, string>();
  let rest = text.replace(MARKS, (comment, marks: string, index: number) => {
    for (const [at, line] of marks.split('\n').entries()) {
      const mark = MARK.exec(line);
      if (!mark) throw new Error(`${page}:${lineAt(index) + at + 1}: a mark is \`command\`: reason`);
      notRun.set(mark[1]!, mark[2]!);
    }
    return blank(comment);
  });
  const commands: Command[] = [];
  rest = rest.replace(FENCE, (fence: string, language: string, script: string, index: number) => {
    if (language === 'sh') commands.push(...statementsOf(script, page, lineAt(index) + 1));
    return blank(fence);
  });
  for (const { 1: code, index } of rest.matchAll(INLINE)) {
    // A table's column ends at a bare pipe.
    const command = code!.replaceAll(/\s+/g, ' ').replaceAll('\\|', '|');
    commands.push({ text: command, page, line: lineAt(index), before: [] });
  }
  return { commands: commands.sort((one, other) => one.line - other.line), notRun };
}

/** @returns the mark that a command falls under */
export function markOf({ text }: Pick<Command, 'text'>, { notRun }: Page): string | undefined {
  return [...notRun.keys()].find((mark) =>
    mark.endsWith(' …') ? `${text} `.startsWith(mark.slice(0, -1)) : text === mark,
  );
}

/** A statement is done where bash takes what stands there for whole. */
function statementsOf(script: string, page: string, first: number): Command[] {
  const commands: Command[] = [];
  const before: string[] = [];
  let begun: string[] = [];
  for (const [at, line] of script.trimEnd().split('\n').entries()) {
    begun.push(line.replace(/\s+# .*$/, ''));
    const text = begun.join('\n');
    if (text.trim() !== '' && spawnSync('bash', ['-n', '-c', text]).status !== 0) continue;
    if (/^(export )?\w+=/.test(text)) before.push(text);
    else if (text.trim() !== '')
      commands.push({ text, page, line: first + at - begun.length + 1, before: [...before] });
    begun = [];
  }
  if (begun.length > 0) throw new Error(`${page}:${first}: bash does not understand ${begun.join('\n')}`);
  return commands;
}

/** As many lines of nothing. */
const blank = (text: string) => text.replaceAll(/[^\n]/g, ' ');
