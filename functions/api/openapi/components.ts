// The schemas of the document by their names, made from those that validate.

import * as z from 'zod';
import { LABEL_NAME } from '../../core/labels.ts';
import { MAX_LABELS, MAX_LABEL_BYTES, MAX_WEBHOOK_URL } from '../../core/limits.ts';
import { PRIORITIES } from '../../core/priority.ts';
import type { Template } from '../../core/template.ts';
import { ANSWERS } from '../answers/schemas.ts';
import type { JsonSchema } from '../http/answers.ts';
import { generateBody } from './generate-body.ts';

export function schemasOf(templates: ReadonlyMap<string, Template>): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(ANSWERS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => plain(jsonSchema),
  });
  return {
    GenerateRequest: generateBody(templates, {
      webhook_url: {
        type: 'string',
        format: 'uri',
        maxLength: MAX_WEBHOOK_URL,
        description: 'Called when the job ends, by https and signed: GET /api/webhooks/secret',
      },
      metadata: {
        type: 'object',
        maxProperties: MAX_LABELS,
        propertyNames: { pattern: LABEL_NAME.source },
        additionalProperties: { type: 'string', maxLength: MAX_LABEL_BYTES },
        description: `Labels of one’s own, shown wherever the job is; a text may have ${MAX_LABEL_BYTES} bytes`,
      },
      priority: {
        type: 'string',
        enum: [...PRIORITIES],
        default: 'normal',
        description: 'Among one’s own waiting jobs; those of others are not overtaken',
      },
    }),
    ...Object.fromEntries(
      Object.entries(schemas).map(([name, { $schema: _dialect, $id: _id, ...rest }]) => [name, rest]),
    ),
  };
}

/** What says nothing to a reader goes; and answers may get more fields. */
function plain(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.additionalProperties === false) delete schema.additionalProperties;
  if (schema.format !== undefined) delete schema.pattern;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  delete schema.propertyNames;
}
