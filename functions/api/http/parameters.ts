// What routes take beside a body: each parameter is described and read in one place, by the same numbers and patterns.

import type { Context } from 'hono';
import { allows, isOwnerName, OWNER_NAME } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { invalid } from '../../core/inputs.ts';
import { PAGE_DEFAULT, PAGE_MAX } from '../../core/limits.ts';
import { isJobId } from '../../core/names.ts';
import type { ApiEnv } from '../deps.ts';
import type { JsonSchema } from './answers.ts';
import { jsonObject } from './body.ts';

export interface Parameter<T = unknown> {
  name: string;
  in: 'path' | 'query' | 'header';
  description: string;
  schema: JsonSchema;
  example?: string | number;
  /** What the route works with. @throws AppError for what it may not be */
  read(c: Context<ApiEnv>): T;
}

export interface Body<T = unknown> {
  type: string;
  schema: JsonSchema;
  /** Absent: the route reads it itself. */
  read?(c: Context<ApiEnv>): Promise<T>;
  /** Absent: the one that all bodies have. */
  limit?: { bytes: number; tooLarge: () => never };
}

type Described = Pick<Parameter, 'name' | 'in' | 'description' | 'example'> & { schema?: JsonSchema };

/** Taken as it comes. */
export function text({
  schema = { type: 'string' },
  ...described
}: Described): Parameter<string | undefined> {
  return { ...described, schema, read: (c) => given(c, described) };
}

/** A part of the path, which is always there. */
export function part(
  name: string,
  described: Omit<Described, 'name' | 'in'>,
  read: (given: string) => string = (given) => given,
): Parameter<string> {
  const parameter = text({ name, in: 'path', ...described });
  return { ...parameter, read: (c) => read(parameter.read(c) ?? '') };
}

/** @param must completes "… must" in the sentence for what does not match */
export function matching(described: Described, pattern: RegExp, must: string): Parameter<string | undefined> {
  const parameter = text({ ...described, schema: { type: 'string', pattern: pattern.source } });
  return {
    ...parameter,
    read(c) {
      const value = parameter.read(c);
      if (value !== undefined && !pattern.test(value)) throw invalid(described.name, `must ${must}`);
      return value;
    },
  };
}

/** One of a few words. */
export function choice<const Word extends string>(
  described: Omit<Described, 'schema'>,
  words: readonly Word[],
): Parameter<Word | undefined> {
  const parameter = text({ ...described, schema: { type: 'string', enum: [...words] } });
  return {
    ...parameter,
    read(c) {
      const value = parameter.read(c);
      const word = words.find((one) => one === value);
      if (value !== undefined && word === undefined)
        throw invalid(described.name, `must be one of ${words.join(', ')}`);
      return word;
    },
  };
}

/** @param unit of what it counts: `of seconds` */
export function whole<Default extends number | undefined>(
  described: Pick<Described, 'name' | 'description'>,
  { minimum, maximum, ...rest }: { minimum: number; maximum: number; default?: Default },
  unit = '',
): Parameter<number | Default> {
  const schema = { type: 'integer', minimum, maximum, ...rest };
  const parameter = text({ in: 'query', ...described, schema });
  return {
    ...parameter,
    read(c) {
      const value = parameter.read(c);
      if (value === undefined) return rest.default as Default;
      const number = Number(value);
      const isWritten = /^\d+$/.test(value) && value.length <= String(maximum).length;
      if (!isWritten || number < minimum || number > maximum)
        throw invalid(described.name, `must be a whole number${unit} from ${minimum} to ${maximum}`);
      return number;
    },
  };
}

function given(c: Context<ApiEnv>, { name, in: place }: Pick<Parameter, 'name' | 'in'>): string | undefined {
  if (place === 'header') return c.req.header(name);
  return place === 'query' ? c.req.query(name) : c.req.param(name);
}

/** @param id what it names. In whichever case it is written */
export function id(description: string, notFound: () => AppError): Parameter<string> {
  const example = '550e8400-e29b-81d4-a716-446655440000';
  return part('id', { description, schema: { type: 'string', format: 'uuid' }, example }, (given) => {
    const one = given.toLowerCase();
    if (!isJobId(one)) throw notFound();
    return one;
  });
}

export function jobNotFound(): AppError {
  return new AppError('job_not_found', 'Job not found');
}

export const jobId = id('A job_id', jobNotFound);

/** A cursor is a place in an index, made opaque. @param shape of the places of this list */
export function page(shape: RegExp) {
  const cursor = text({
    name: 'cursor',
    in: 'query',
    description: 'The next_cursor of the page before',
    schema: { type: 'string', minLength: 1 },
  });
  return {
    limit: whole(
      { name: 'limit', description: 'How many at most' },
      { minimum: 1, maximum: PAGE_MAX, default: PAGE_DEFAULT },
    ),
    cursor: {
      ...cursor,
      read(c: Context<ApiEnv>) {
        const opaque = cursor.read(c);
        const place = opaque === undefined ? undefined : Buffer.from(opaque, 'base64url').toString('utf8');
        if (place !== undefined && !shape.test(place))
          throw invalid('cursor', 'must be the next_cursor of an earlier answer');
        return place;
      },
    },
  };
}

export interface Page {
  limit: number;
  cursor: string | undefined;
}

export function cursorOf(place: string | undefined): string | null {
  return place === undefined ? null : Buffer.from(place, 'utf8').toString('base64url');
}

/** Whose a request is about: the caller's own, or for an admin those of `?owner`. */
export const owner: Parameter<string> = {
  name: 'owner',
  in: 'query',
  description: 'Whose, for a key with the scope admin; else one’s own',
  schema: { type: 'string' },
  read(c) {
    const caller = c.get('caller');
    const asked = c.req.query('owner');
    if (asked === undefined || asked === caller.owner) return caller.owner;
    if (!allows(caller, 'admin'))
      throw new AppError('forbidden', 'Only a key with the scope admin may see or change what is others’', {
        field: 'owner',
      });
    return ownerName(asked);
  },
};

/** @throws AppError invalid_field for what is no owner's name */
export function ownerName(given: string): string {
  if (!isOwnerName(given)) throw invalid('owner', OWNER_NAME);
  return given;
}

/** A JSON object. */
export function object(schema: JsonSchema): Body<Record<string, unknown>> & { read: unknown } {
  return { type: 'application/json', schema, read: jsonObject };
}
