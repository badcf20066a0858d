// TypeScript of the API's OpenAPI document, for the console: its schemas, and what each route takes and answers. The packages
// that do this want a TypeScript of JavaScript, which version 7 is not any more.

interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  prefixItems?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
}
interface Media {
  content?: Record<string, { schema?: Schema }>;
}
interface Operation {
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: Media;
  responses: Record<string, Media>;
}
export interface OpenApi {
  components: { schemas: Record<string, Schema> };
  paths: Record<string, Record<string, Operation>>;
}

export function typesOf({ components, paths }: OpenApi): string {
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `export type ${name} = ${typeOf(schema)};`,
  );
  const routes = Object.entries(paths)
    .filter(([path]) => path.startsWith('/api/'))
    .flatMap(([path, operations]) =>
      Object.entries(operations).map(
        ([method, operation]) => `  '${method.toUpperCase()} ${path}': ${routeOf(operation)};`,
      ),
    );
  return [
    "// Made from the API's OpenAPI document by `npx vitest run test/console/api-types.test.ts -u`.",
    ...schemas,
    `/** Of each route: what stands in its path and its query, and what it answers in JSON. */\nexport interface Routes {\n${routes.join('\n')}\n}`,
  ].join('\n\n');
}

function routeOf({ parameters = [], responses }: Operation): string {
  const named = (where: string) =>
    parameters
      .filter((one) => one.in === where)
      .map(({ name, required }) => `${key(name)}${required ? '' : '?'}: string | number`)
      .join('; ');
  const answers = Object.entries(responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([, { content }]) => content?.['application/json']?.schema)
    .filter((schema) => schema !== undefined);
  const answer = [...new Set(answers.map(typeOf))].join(' | ') || 'undefined';
  return `{ path: { ${named('path')} }; query: { ${named('query')} }; answer: ${answer} }`;
}

function typeOf(schema: Schema): string {
  const { $ref, anyOf, oneOf, allOf, type } = schema;
  if ($ref !== undefined) return $ref.split('/').at(-1)!;
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  if (anyOf ?? oneOf) return [...new Set((anyOf ?? oneOf)!.map(typeOf))].join(' | ');
  if (allOf) return allOf.map((one) => `(${typeOf(one)})`).join(' & ');
  if (Array.isArray(type)) return type.map((one) => typeOf({ ...schema, type: one })).join(' | ');
  if (type === 'array')
    return schema.prefixItems
      ? `[${schema.prefixItems.map(typeOf).join(', ')}]`
      : `(${schema.items ? typeOf(schema.items) : 'unknown'})[]`;
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'string' || type === 'boolean' || type === 'null') return type;
  return type === 'object' || schema.properties ? objectOf(schema) : 'unknown';
}

function objectOf({ properties = {}, required = [], additionalProperties }: Schema): string {
  const fields = Object.entries(properties).map(
    ([name, schema]) => `${key(name)}${required.includes(name) ? '' : '?'}: ${typeOf(schema)}`,
  );
  const more =
    typeof additionalProperties === 'object'
      ? typeOf(additionalProperties)
      : additionalProperties === true || (additionalProperties === undefined && fields.length === 0)
        ? 'unknown'
        : undefined;
  if (more === undefined) return `{ ${fields.join('; ')} }`;
  return fields.length === 0
    ? `{ [name: string]: ${more} }`
    : `{ ${fields.join('; ')} } & { [name: string]: unknown }`;
}

const key = (name: string) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));
