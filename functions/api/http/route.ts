// A route is declared once: where it is, who may call it, what it takes and what it answers, and what it does. A request is
// checked by its declaration, and the OpenAPI document and its page are made from it (openapi/document.ts).

import type { Context } from 'hono';
import type * as z from 'zod';
import type { Scope } from '../../core/access.ts';
import type { AnswerError } from '../../core/errors.ts';
import type { ApiApp, ApiEnv } from '../deps.ts';
import type { ANSWERS } from '../answers/schemas.ts';
import { needs } from './access.ts';
import { limitBody } from './body.ts';
import { exactJson } from './exact-json.ts';
import type { Answer, AnswerName, JsonSchema } from './answers.ts';
import type { Body, Parameter } from './parameters.ts';

export interface Declared {
  /** Behind `/api`. */
  route: `${'GET' | 'POST' | 'DELETE'} /${string}`;
  id: string;
  tag: 'Jobs' | 'Images' | 'History' | 'Webhooks' | 'Service' | 'Operations' | 'Description';
  summary: string;
  description?: string;
  /** Absent: no key is needed. */
  scope?: Scope;
  parameters?: Record<string, Parameter>;
  body?: Body;
  answers: Record<number, Answer>;
  /** Beside those that every route may answer. */
  errors?: readonly AnswerError[];
  /** What we send in turn: where to, by an address that the request names. */
  callbacks?: JsonSchema;
  /** Served without /api too. */
  alsoAtRoot?: true;
  /** What a call weighs among its owner's reads of a minute. Absent: 1. */
  reads?: number;
}

export interface Route extends Declared {
  handle(c: Context<ApiEnv>): Promise<Response>;
}

/** What the parameters and the body were read as. */
type Asked<D extends Declared> = {
  [Name in keyof D['parameters']]: D['parameters'][Name] extends Parameter<infer T> ? T : never;
} & (D['body'] extends Body<infer T> ? { body: T } : unknown);

/** JSON of what the document says; whole numbers may be larger than a number can hold. */
type Sent<T> = unknown extends T ? T : T extends number ? T | bigint : { [Key in keyof T]: Sent<T[Key]> };
type Value<A> = {
  [S in keyof A]: A[S] extends { schema: infer Name extends AnswerName } ? Name : never;
}[keyof A];
type Answered<D extends Declared> = Response | Sent<z.input<(typeof ANSWERS)[Value<D['answers']>]>>;

/** @param work gives what is answered in JSON, or a whole response where there is more to say */
export function route<const D extends Declared>(
  declared: D,
  work: (c: Context<ApiEnv>, asked: Asked<D>) => Answered<D> | Promise<Answered<D>>,
): Route {
  const { parameters = {}, body, answers } = declared;
  const status = Number(Object.entries(answers).find(([, { schema }]) => schema)?.[0]);
  return {
    ...declared,
    async handle(c) {
      const asked: Record<string, unknown> = {};
      for (const [name, parameter] of Object.entries(parameters)) asked[name] = parameter.read(c);
      if (body?.read) asked['body'] = await body.read(c);
      const answer = await work(c, asked as Asked<D>);
      return answer instanceof Response ? answer : exactJson(c, answer, status as 200);
    },
  };
}

/** `POST /api/generate`. */
export function addressOf(route: Declared['route']): string {
  return route.replace(' ', ' /api');
}

/** Each under which it is mounted. */
export function addressesOf({ route, alsoAtRoot }: Pick<Declared, 'route' | 'alsoAtRoot'>): string[] {
  return alsoAtRoot ? [addressOf(route), route] : [addressOf(route)];
}

/** `/api/image/:filename` matches each file's. */
export function patternOf(address: string): RegExp {
  return new RegExp(`^${address.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`);
}

/** What is mounted of a route, and what its limits are; its description is the document's. */
export type Mounted = Pick<Route, 'route' | 'alsoAtRoot' | 'scope' | 'errors' | 'reads' | 'handle'> & {
  body?: Pick<Body, 'limit'>;
};

export function mount(app: ApiApp, { route, alsoAtRoot, scope, body, handle }: Mounted): void {
  const [method, path] = route.split(' ') as [string, string];
  for (const at of alsoAtRoot ? [path, `/api${path}`] : [`/api${path}`]) {
    if (scope) app.on(method, at, needs(scope));
    if (body?.limit) app.on(method, at, limitBody(body.limit.bytes, body.limit.tooLarge));
    app.on(method, at, handle);
  }
}
