// DynamoDB's typed values as plain ones. Knows the types that our tables have.

export type Attribute =
  | { S: string }
  | { N: string }
  | { BOOL: boolean }
  | { NULL: true }
  | { B: string }
  | { L: Attribute[] }
  | { M: AttributeMap };
export interface AttributeMap {
  [name: string]: Attribute;
}

export function plain(map: AttributeMap): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, valueOf(value)]));
}

function valueOf(attribute: Attribute): unknown {
  if ('S' in attribute) return attribute.S;
  if ('N' in attribute) return Number(attribute.N);
  if ('BOOL' in attribute) return attribute.BOOL;
  if ('B' in attribute) return attribute.B;
  if ('L' in attribute) return attribute.L.map(valueOf);
  if ('M' in attribute) return plain(attribute.M);
  return null;
}
