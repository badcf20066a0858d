// What a setting is, and how a program reads its settings from its environment. An invalid value is refused with the
// setting's name and what it must be; names in no table belong to other programs and are ignored.

import * as z from 'zod/mini';
import { AppError } from '../core/errors.ts';
import { valueInWords } from '../core/secrets.ts';

export type Environment = Record<string, string | undefined>;

/** One environment variable, declared once: parsing, refusal, --help and docs/settings.md derive from it. */
export interface Setting<Schema extends z.core.$ZodType = z.core.$ZodType> {
  /** Parses the text in the environment; an empty text counts as absent. */
  readonly schema: Schema;
  /** Ends the sentence that refuses a value: `NAME must be …`. */
  readonly must: string;
  /** What it does, in Markdown. */
  readonly means: string;
  /** In words, what applies without it if the schema has no default. */
  readonly otherwise?: string;
  /** The value appears in no error and no log. */
  readonly secret?: true;
}

export type Table = Readonly<Record<string, Setting>>;
type ObjectOf<T extends Table> = z.ZodMiniObject<{ -readonly [Name in keyof T]: T[Name]['schema'] }>;
export type SettingsOf<T extends Table> = z.output<ObjectOf<T>>;

/** What infra must set and may set: a missing variable fails the type check. */
export type EnvironmentOf<T extends Table, Input = z.input<ObjectOf<T>>> = {
  [Name in keyof Input as undefined extends Input[Name] ? never : Name]: string;
} & { [Name in keyof Input as undefined extends Input[Name] ? Name : never]?: string };

export function setting<Schema extends z.core.$ZodType>(
  schema: Schema,
  must: string,
  means: string,
  more: { otherwise?: string; secret?: true } = {},
): Setting<Schema> {
  return { schema, must, means, ...more };
}

/** The same setting with a stricter schema or another default in one program. */
export function withSchema<Schema extends z.core.$ZodType>(one: Setting, schema: Schema): Setting<Schema> {
  const { otherwise: _, ...rest } = one;
  return { ...rest, schema };
}

export function objectOf<T extends Table>(table: T): ObjectOf<T> {
  const schemas = Object.entries(table).map(([name, { schema }]) => [name, schema]);
  return z.object(Object.fromEntries(schemas)) as ObjectOf<T>;
}

/** @throws AppError bad_setting, in one sentence without secrets */
export function read<T extends Table>(table: T, environment: Environment): SettingsOf<T> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = objectOf(table).safeParse(given, { jitless: true });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const name = String(issue.path[0]);
  const { must, secret } = table[name]!;
  // A rule of one mistake has words of its own.
  const rule = issue.code === 'custom' && issue.message.startsWith('must ') ? issue.message : must;
  throw new AppError('bad_setting', `${name} ${rule}; ${valueInWords(given[name] ?? '', secret)}`);
}
