// A core Change as DynamoDB's expressions. Every name is aliased: `work`, `status`, `owner` and many more are
// reserved words.

import type { Change, Condition, JobState } from '../core/job.ts';
import { attributeOf, valueOf } from './job-item.ts';

export interface UpdateExpressions {
  ConditionExpression: string;
  UpdateExpression: string;
  ExpressionAttributeNames: Record<string, string>;
  ExpressionAttributeValues: Record<string, unknown>;
}

export function expressionsOf(change: Change): UpdateExpressions {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  const name = (field: keyof JobState) => {
    names[`#${field}`] = attributeOf(field);
    return `#${field}`;
  };
  const value = (of: unknown) => {
    const key = `:v${Object.keys(values).length}`;
    values[key] = of;
    return key;
  };
  const condition = (of: Condition): string => {
    const field = name(of.field);
    if ('is' in of) return `${field} = ${value(valueOf(of.field, of.is))}`;
    if ('oneOf' in of) return `${field} IN (${of.oneOf.map(value).join(', ')})`;
    if ('absent' in of) return `attribute_not_exists(${field})`;
    return `${field} < ${value(of.below)}`;
  };

  const when = change.when.map(condition).join(' AND ');
  const sets = (Object.keys(change.set) as (keyof JobState)[])
    .filter((field) => change.set[field] !== undefined)
    .map((field) => `${name(field)} = ${value(valueOf(field, change.set[field]))}`);
  const removes = change.remove.map(name);
  return {
    ConditionExpression: when,
    UpdateExpression: [
      sets.length > 0 ? `SET ${sets.join(', ')}` : '',
      removes.length > 0 ? `REMOVE ${removes.join(', ')}` : '',
    ]
      .filter(Boolean)
      .join(' '),
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  };
}
