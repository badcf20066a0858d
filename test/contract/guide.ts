// Takes the guide apart: its code blocks by heading, and the shapes of the answers it shows. Changes nothing of them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Block {
  /** The nearest heading above. */
  heading: string;
  language: string;
  code: string;
}

export function blocksOfGuide(): Block[] {
  const text = readFileSync(join(import.meta.dirname, 'rest-api-guide.md'), 'utf8');
  const blocks: Block[] = [];
  let heading = '';
  let open: Block | undefined;
  for (const line of text.split('\n')) {
    const fence = /^```(\w*)$/.exec(line);
    if (fence && open) {
      blocks.push(open);
      open = undefined;
    } else if (fence) open = { heading, language: fence[1]!, code: '' };
    else if (open) open.code += `${line}\n`;
    else heading = /^#{2,4} (.*)$/.exec(line)?.[1] ?? heading;
  }
  return blocks;
}

/** The one block of this language below a heading. */
export function blockBelow(heading: string, language: string): string {
  const found = blocksOfGuide().filter((block) => block.heading === heading && block.language === language);
  if (found.length !== 1) throw new Error(`${found.length} ${language} blocks below "${heading}"`);
  return found[0]!.code;
}

/** The answer that the guide shows below a heading; what it leaves out (`{...}`) is empty. */
export function answerBelow(heading: string): unknown {
  const shown = blockBelow(heading, 'json').replaceAll('{...}', '{}').replaceAll('[...]', '[]');
  return JSON.parse(shown);
}

/**
 * What `actual` lacks of what the guide shows, as paths: a field that is missing or of another type. Names such as
 * `job_id_1` stand for any number of entries, a list for any number of such items.
 */
export function lacksOf(actual: unknown, shown: unknown, path = '$'): string[] {
  if (Array.isArray(shown)) {
    if (!Array.isArray(actual)) return [`${path} is no list`];
    const [item] = shown as unknown[];
    if (item === undefined) return [];
    const tuple = shown.some((other) => typeof other !== typeof item);
    return (actual as unknown[]).flatMap((one, index) =>
      lacksOf(one, tuple ? (shown as unknown[])[index] : item, `${path}[${index}]`),
    );
  }
  if (shown !== null && typeof shown === 'object') {
    if (actual === null || typeof actual !== 'object' || Array.isArray(actual)) return [`${path} is no object`];
    const entries = Object.entries(shown);
    const anyKey = entries.length > 0 && entries.every(([key]) => /_id_\d+$/.test(key));
    if (anyKey)
      return Object.entries(actual).flatMap(([key, value]) =>
        lacksOf(value, entries[0]![1], `${path}.${key}`),
      );
    return entries.flatMap(([key, value]) =>
      Object.hasOwn(actual, key)
        ? lacksOf((actual as Record<string, unknown>)[key], value, `${path}.${key}`)
        : [`${path}.${key} is missing`],
    );
  }
  // The guide shows null where there is no text yet.
  if (shown === null) return actual === null || typeof actual === 'string' ? [] : [`${path} is no text`];
  return typeof actual === typeof shown ? [] : [`${path} is ${typeof actual}, not ${typeof shown}`];
}
