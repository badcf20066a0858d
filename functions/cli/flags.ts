// The command line of a program: one table of flags, from which parsing, refusals and --help (help.ts) come. Values are
// checked one by one; combinations are the program's to check.

import { parseArgs } from 'node:util';
import { isSecretLike, valueInWords, withoutSecrets } from '../core/secrets.ts';
import { CommandError } from './api.ts';

/** The type of a flag's value. */
export interface Kind<Value> {
  /** Ends the sentence that refuses a value: `--name must be …`. */
  must: string;
  /** @returns undefined for a text that is not valid */
  read(text: string): Value | undefined;
}

interface More {
  /** In words, what applies without the flag; else the default is shown. */
  otherwise?: string;
  /** The environment variable that is read where the flag is absent. */
  env?: string;
  /** The flag's short form, one letter. */
  short?: string;
  /** The commands that have the flag; without it, all. */
  of?: readonly string[];
  /** The value appears in no error. */
  secret?: true;
}

export interface Flag<Value = unknown> extends More {
  /** Undefined: a switch, without a value. */
  kind?: Kind<Value>;
  /** The placeholder of the value in --help. */
  value: string;
  means: string;
  default?: Value;
  /** Repeated flags make a list; without it, the last one counts. */
  adds?: true;
}

export type Flags = Readonly<Record<string, Flag>>;
export type Values<F extends Flags> = {
  -readonly [Name in keyof F]: F[Name] extends Flag<infer Value> ? Value : never;
};

export interface Program<F extends Flags> {
  /** As typed: `npm run smoke --`. */
  name: string;
  /** The arguments after the name, in short. */
  usage: string;
  about: string;
  flags: F;
  /** How many words without a flag it accepts; without it, none, or those of the command. */
  words?: number;
  /** The values of the first word; one with a `word` takes one more, or `words`. */
  commands?: Readonly<Record<string, { means: string; word?: string; words?: number }>>;
  /** Paragraphs below the flags in --help. */
  notes?: readonly string[];
}

export interface Line<F extends Flags> {
  /** One of the program's commands; empty if it has none. */
  command: string;
  words: string[];
  values: Values<F>;
  /** The values that were typed, without defaults. */
  given: Partial<Values<F>>;
}

/** A flag with a value. */
export const flag = <Value, M extends More & { default?: Value } = More>(
  kind: Kind<Value>,
  value: string,
  means: string,
  more?: M,
) => ({ kind, value, means, ...more }) as Flag<M extends { default: Value } ? Value : Value | undefined>;

/** A flag with a value that may be repeated. */
export const several = (value: string, means: string, more: More = {}): Flag<string[]> => ({
  kind: { ...TEXT, read: (text) => [text] },
  value,
  means,
  default: [],
  adds: true,
  ...more,
});

/** A flag without a value. */
export const toggle = (means: string, more: More = {}): Flag<boolean> => ({
  value: '',
  means,
  default: false,
  ...more,
});

export const TEXT: Kind<string> = { must: 'be a text', read: (text) => text };
export const KEY: Kind<string> = {
  must: 'be a key, which has no spaces and no letters beyond ASCII',
  read: (text) => (/^[!-~]+$/.test(text) ? text : undefined),
};

/** Of a parameter that holds a secret: the secret itself, typed instead of the name, goes no further. */
export const PARAMETER: Kind<string> = {
  must: 'be the name of an SSM parameter such as /comfyui/hub-token, not the secret itself',
  read: (text) => (isSecretLike(text) ? undefined : text),
};

export function number(least: number, most = Infinity, whole = false): Kind<number> {
  const fits = whole ? Number.isSafeInteger : Number.isFinite;
  return {
    must: `be a ${whole ? 'whole ' : ''}number from ${least}${most === Infinity ? '' : ` to ${most}`}`,
    read(text) {
      const value = text.trim() === '' ? Number.NaN : Number(text);
      return value >= least && value <= most && fits(value) ? value : undefined;
    },
  };
}

/** For an interval of polling, s. */
export const SECONDS = number(0.001, 3600);

/** Values separated by commas. */
export const listOf = <Value>(must: string, { read }: Pick<Kind<Value>, 'read'>): Kind<Value[]> => ({
  must: `be ${must}, separated by commas`,
  read(text) {
    const values = text.split(',').flatMap((one) => read(one.trim()) ?? []);
    return values.length === text.split(',').length ? values : undefined;
  },
});

/** The flag of a name: `lora_strength` and `otherKey` become `--lora-strength` and `--other-key`. */
export function flagOf(name: string): string {
  return `--${name.replaceAll('_', '-').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** @returns undefined if --help is given. @throws CommandError that says what to type instead */
export function readFlags<F extends Flags>(
  program: Program<F>,
  argv: string[],
  environment: Record<string, string | undefined> = {},
): Line<F> | undefined {
  const { flags, commands, name } = program;
  const names = new Map(Object.keys(flags).map((one) => [flagOf(one), one]));
  const tokens = tokensOf(flags, argv);
  if (tokens.some((token) => token.kind === 'option' && token.name === 'help')) return undefined;
  for (const token of tokens)
    if (token.kind === 'option' && !names.has(flagOf(token.name))) throw unknownFlag(program, token.rawName);
  const words = tokens.flatMap((token) => (token.kind === 'positional' ? token.value : []));
  const command = commands ? (words.shift() ?? '') : '';
  if (commands && !Object.hasOwn(commands, command))
    throw new CommandError(
      `${name} takes ${inWords(Object.keys(commands), 'or')}, not ${wordInWords(command)}; --help explains them`,
    );
  const { word, words: most = word === undefined ? (program.words ?? 0) : 1 } = commands?.[command] ?? {};
  if (words.length > most) {
    // The word may be the value of a flag that npm took for its own.
    const mayBeSecret = Object.values(flags).some(({ secret }) => secret);
    const shown = mayBeSecret ? 'A word' : wordInWords(words[most]!, 'A word');
    throw new CommandError(`${shown} is too many: flags come behind ${name}, and --help lists them`);
  }
  const given: Record<string, unknown> = {};
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const own = names.get(flagOf(token.name))!;
    const { kind, of, value, adds } = flags[own]!;
    if (of && !of.includes(command))
      throw new CommandError(`${command} takes no ${token.rawName}: it is a flag of ${inWords(of, 'and')}`);
    if (!kind && token.value !== undefined) throw new CommandError(`${token.rawName} takes no value`);
    // A following flag is not a value, but -1 and -blurry are.
    if (kind && (token.value === undefined || (!token.inlineValue && token.value.startsWith('--'))))
      throw new CommandError(`${token.rawName} needs a value: ${token.rawName}=${value || 'VALUE'}`);
    const read = kind ? readAs(flags[own]!, token.rawName, token.value!) : true;
    given[own] = adds ? [...((given[own] as unknown[] | undefined) ?? []), ...(read as unknown[])] : read;
  }
  const values = Object.entries(flags).map(([one, { env = '', ...more }]) => {
    const said = environment[env];
    return [one, given[one] ?? (said ? readAs(more, env, said) : more.default)];
  });
  return {
    command,
    words,
    given: given as Partial<Values<F>>,
    values: Object.fromEntries(values) as Values<F>,
  };
}

/**
 * In `npm run generate "a fox" --steps 8`, without `--` before the flags, npm takes them for its own, and the image would
 * silently be another.
 * @param example what stands before the flags. @throws CommandError
 */
export function refuseFlagsKeptByNpm(
  environment: Record<string, string | undefined>,
  { name, flags }: Program<Flags>,
  example: string,
): void {
  if (name !== `npm run ${environment['npm_lifecycle_event']} --`) return;
  const kept = Object.keys(flags).find((one) => environment[`npm_config_${one}`] !== undefined);
  if (kept !== undefined)
    throw new CommandError(
      `npm kept ${flagOf(kept)} for itself; put -- before what is meant for this program: ${name} ${example} ${flagOf(kept)} …`,
    );
}

/** @param name the flag or variable that the refusal names. @throws CommandError */
function readAs({ kind, secret }: Pick<Flag, 'kind' | 'secret'>, name: string, text: string): unknown {
  const value = kind!.read(text);
  if (value !== undefined) return value;
  throw new CommandError(`${name} must ${kind!.must}; ${valueInWords(text, secret)}`);
}

/** A word as it was typed, unless it has the form of a secret. */
function wordInWords(word: string, otherwise = 'what was typed'): string {
  return isSecretLike(word) ? otherwise : `"${word}"`;
}

function tokensOf(flags: Flags, argv: string[]) {
  const options = Object.entries(flags).flatMap(([name, { kind, short }]) => {
    const option = {
      type: kind ? ('string' as const) : ('boolean' as const),
      ...(short !== undefined && { short }),
    };
    const dashed = flagOf(name).slice(2);
    return [[dashed, option] as const, [dashed.replaceAll('-', '_'), { type: option.type }] as const];
  });
  // A name without dashes occurs twice: the entry with the short form wins.
  const all = Object.fromEntries(options.toReversed());
  return parseArgs({
    args: argv,
    strict: false,
    tokens: true,
    options: { ...all, help: { type: 'boolean', short: 'h' } },
  }).tokens;
}

function unknownFlag({ name, flags, words }: Program<Flags>, flag: string): CommandError {
  const known = inWords([...Object.keys(flags).map(flagOf), '--help'], 'and');
  const dash = words === undefined ? '' : `; a text that starts with a dash stands behind -- alone`;
  return new CommandError(`Unknown flag ${withoutSecrets(flag)}; ${name} takes ${known}${dash}`);
}

function inWords(names: readonly string[], and: string): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} ${and} ${names.at(-1)}`;
}
