// The API's own document as its tests read it. Starts nothing.

import type { ApiApp } from '../../functions/api/deps.ts';
import type { Json } from './support.ts';

export interface DescribedAnswer {
  content?: Record<string, { schema: { $ref?: string; anyOf?: { $ref: string }[] } }>;
  $ref?: string;
}

export interface DescribedOperation {
  operationId: string;
  tags: string[];
  security?: unknown[];
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { examples?: Record<string, { value: Json }> }> };
  responses: Record<string, DescribedAnswer>;
}

export interface Described {
  paths: Record<string, Record<string, DescribedOperation>>;
  components: { schemas: Record<string, Json>; responses: Record<string, DescribedAnswer> };
}

export async function documentOfApp(app: Pick<ApiApp, 'request'>): Promise<Described> {
  return (await (await app.request('/openapi.json')).json()) as Described;
}

/** `GET /api/status/{id}` and what is said of it. */
export function operationsOf(document: Described): { route: string; operation: DescribedOperation }[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      route: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  );
}
