// What the product says to people who can act on it, read from the sources: refusals of requests, of settings and of what is
// typed. One place for the tone of all of them, so that no other test repeats whole sentences: those assert codes and fields.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAst } from 'vitest/node';

interface Message {
  /** `functions/core/inputs.ts:56` */
  at: string;
  /** ${} stands for what is filled in. */
  text: string;
  /** Its error class, or the code of an AppError; undefined: part of a sentence, which a function of ours completes. */
  of?: string;
}

type Node = Record<string, unknown> & { type: string; start: number };

/** An answer to a request, the end of a program, the end of a seeding of models. */
const ERRORS = ['AppError', 'CommandError', 'ModelsProblem'];

const FOLDER = 'functions';

/** For each of these the field has a word of its own. */
const PRIVATE =
  /\b(arrangement|board|claimer|keeper|leavings?|left alone|front door|outlook|sight|strays?|tally|told)\b/i;

/** A word after which it stands; or what another program says, at the end. */
const WHAT_TO_DO =
  /\b(must|needs?|takes?|one of|set|run|use|try|add|stop|give|delete|leave out|make|see|wait|end|move|put|correct|accept|lists?|shows?|names?|explains?|says?|take it out)\b|npm (run|start)|--[a-z]|it is "|: \$\{\}$/i;

/** Not refusals: how something ended. */
const OUTCOMES = [
  'Nothing was deployed',
  '${} is ${}${}; hosts go on with the image that they have',
  'The job ${} was cancelled',
  'the download was cancelled because another model failed',
];

/** Of programs and files, that a sentence may begin with. */
const NAMES = ['aws', 'cdk', 'cdk.json', 'create', 'limits', 'npm', 'usage', 'workflows', 's3'];

// What simulated-comfyui says are ComfyUI's own words.
const names = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.includes('simulated-comfyui'),
);
const sources = names.map((name) => {
  const path = join(FOLDER, name);
  const text = readFileSync(path, 'utf8');
  return { path, text, tree: parseAst(text, { lang: 'ts' }) as unknown as Node };
});

function walk(value: unknown, visit: (node: Node, above: Node[]) => void, above: Node[] = []): void {
  if (typeof value !== 'object' || value === null) return;
  const isNode = 'type' in value && typeof value.type === 'string';
  if (isNode) visit(value as Node, above);
  const next = isNode ? [...above, value as Node] : above;
  for (const part of Object.values(value)) walk(part, visit, next);
}

/** Texts with a name of their own: `const PORT = 'must be a port from 0 to 65535'`. */
const constants = new Map<string, string>();
for (const { tree } of sources)
  walk(tree, ({ type, id, init }) => {
    if (type !== 'VariableDeclarator' || (init as Node | null)?.type !== 'Literal') return;
    const { value } = init as { value?: unknown };
    if (typeof value === 'string') constants.set((id as { name: string }).name, value);
  });

/** All that an expression may give, as far as it is written there. */
function textsOf(node: Node | undefined): string[] {
  switch (node?.type) {
    case 'Literal':
      return typeof node['value'] === 'string' ? [node['value']] : [];
    case 'Identifier':
      return [constants.get(node['name'] as string) ?? []].flat();
    case 'TemplateLiteral': {
      const quasis = node['quasis'] as { value: { cooked: string } }[];
      return [quasis.map(({ value }) => value.cooked).join('${}')];
    }
    case 'ConditionalExpression':
      return [...textsOf(node['consequent'] as Node), ...textsOf(node['alternate'] as Node)];
    default:
      return [];
  }
}

const calleeOf = (node: Node) => (node['callee'] as { name?: string }).name ?? '';
const argumentsOf = (node: Node) => node['arguments'] as Node[];

/** Functions of ours that put a parameter into a sentence: by name, which of their parameters. */
function completers(): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>();
  for (const { tree } of sources)
    walk(tree, (node, above) => {
      if (node.type !== 'NewExpression' || !ERRORS.includes(calleeOf(node))) return;
      const at = above.findLastIndex(({ type }) => type.includes('Function'));
      const parameters = ((above[at]?.['params'] ?? []) as { name?: string }[]).map(({ name }) => name);
      const { name } = (above[at]?.['id'] ?? above[at - 1]?.['id'] ?? {}) as { name?: string };
      if (name === undefined) return;
      for (const sentence of argumentsOf(node).filter(({ type }) => type === 'TemplateLiteral'))
        for (const { name: filledIn } of sentence['expressions'] as { name?: string }[])
          if (filledIn !== undefined && parameters.includes(filledIn))
            found.set(name, (found.get(name) ?? new Set()).add(parameters.indexOf(filledIn)));
    });
  return found;
}

const messages: Message[] = [];
const completes = completers();
for (const { path, text, tree } of sources)
  walk(tree, (node) => {
    const at = `${path}:${text.slice(0, node.start).split('\n').length}`;
    const add = (given: Node | undefined, of?: string) =>
      messages.push(...textsOf(given).map((one) => ({ at, text: one, ...(of && { of }) })));
    if (node.type === 'NewExpression' && ERRORS.includes(calleeOf(node))) {
      const [first, second] = argumentsOf(node);
      if (calleeOf(node) === 'AppError') add(second, textsOf(first)[0] ?? 'AppError');
      else add(first, calleeOf(node));
    }
    if (node.type !== 'CallExpression') return;
    if (calleeOf(node) === 'setting') add(argumentsOf(node)[1]);
    for (const index of completes.get(calleeOf(node)) ?? []) add(argumentsOf(node)[index]);
  });
/** What is one word is a name, not a part of a sentence. */
const sayings = messages.filter(({ text }) => /\S \S/.test(text));
const sentences = sayings.filter(({ of }) => of !== undefined);

function breaking(rule: RegExp, among = sayings): string[] {
  return among.filter(({ text }) => rule.test(text)).map(({ at, text }) => `${at}: ${text}`);
}

test('they are found', () => {
  expect(sentences.length).toBeGreaterThan(120);
  expect(sayings.length - sentences.length).toBeGreaterThan(60);
  expect(sayings.map(({ text }) => text)).toEqual(
    expect.arrayContaining([
      'Job not found',
      'must be a port from 0 to 65535',
      'must be true or false',
      'Unknown flag ${}; ${} takes ${}${}',
    ]),
  );
});

/** For the person at a terminal: nobody looks up what their code means. */
const OF_PROGRAMS = ['CommandError', 'ModelsProblem', 'bad_setting', 'bad_template', 'bad_event', 'in_use'];

test('a program that refuses says what to do or what it takes', () => {
  const refusals = sentences.filter(({ of }) => OF_PROGRAMS.includes(of!));
  // What is all filled in is made of parts that are looked at by themselves.
  const silent = refusals.filter(({ text }) => !WHAT_TO_DO.test(text) && /[a-z]{2} /.test(text));
  expect(silent.map(({ text }) => text)).toEqual(OUTCOMES);
});

describe('no message', () => {
  test.each<[what: string, rule: RegExp]>([
    ['begs, apologises or cheers', /\b(please|sorry|oops|unfortunately|successfully)\b|!/i],
    ['makes it look small', /\b(just|simply|easily|of course|obviously)\b/i],
    ['is in the future or of what might have been', /\b(will|shall|would|won't)\b/i],
    ['tells how the code fared', /\b(failed to|unable to|could not|couldn't|error:|exception)\b/i],
    ['shortens a verb', /\b\w+(n't|'re|'ll|'ve)\b/i],
    ['ends with a stop', /[.,:;]$/],
    ['has a space too many', / {2}|^\s|\s$/],
  ])('%s', (_what, rule) => expect(breaking(rule)).toEqual([]));

  test('has a word that only this code uses', () => {
    expect(breaking(PRIVATE)).toEqual([]);
  });

  test('begins in the middle of a sentence', () => {
    const begins = new RegExp(`^([A-Z"$-]|(${NAMES.join('|')})\\b)`);
    const midway = sentences.filter(({ text }) => !begins.test(text) && !OUTCOMES.includes(text));
    expect(midway.map(({ text }) => text)).toEqual([]);
  });
});
