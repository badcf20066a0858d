// Prometheus' text format, version 0.0.4. Pure.

export type Labels = Record<string, string>;

export interface Family {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  samples: { suffix?: string; labels?: Labels; value: number }[];
}

/** Counts by upper bounds as Prometheus has them: each includes those below. */
export function histogram(
  name: string,
  help: string,
  { bounds, counts, sum }: { bounds: readonly number[]; counts: readonly number[]; sum: number },
): Family {
  let below = 0;
  const buckets = bounds.map((bound, index) => {
    below += counts[index] ?? 0;
    return { suffix: '_bucket', labels: { le: String(bound) }, value: below };
  });
  const all = below + (counts[bounds.length] ?? 0);
  return {
    name,
    type: 'histogram',
    help,
    samples: [
      ...buckets,
      { suffix: '_bucket', labels: { le: '+Inf' }, value: all },
      { suffix: '_sum', value: sum },
      { suffix: '_count', value: all },
    ],
  };
}

export function exposition(families: readonly Family[]): string {
  return families.map(textOf).join('');
}

function textOf({ name, type, help, samples }: Family): string {
  const lines = samples.map(({ suffix = '', labels = {}, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `${name}${suffix}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`;
  });
  return [
    `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
    `# TYPE ${name} ${type}`,
    ...lines,
    '',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
