// `npm run bench`: measures the product as a caller sees it, beside a bare client on the same ComfyUI. Prints a table
// and writes bench.json. `--only name[,name]` runs a part, `--quick` a smaller one; `--only
// models` needs 2 GB of disk; `--retention` runs for minutes and looks at what stays behind.

import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { accept } from './accept.ts';
import { beside } from './beside.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { models } from './models.ts';
import { isMet, type Measurement, type Row, tableOf } from './report.ts';
import { retention } from './retention.ts';
import { start } from './start.ts';
import { throughV2 } from './through-v2.ts';
import { idle, throughput } from './throughput.ts';
import { units } from './units.ts';
import { waiting } from './waiting.ts';
import { workspace } from './workspace.ts';

const usual: Record<string, Measurement> = {
  beside,
  v2: throughV2,
  latency,
  throughput,
  idle,
  accept,
  waiting,
  workspace,
  units,
  start,
  memory,
};

const measurements: Record<string, Measurement> = { ...usual, models, retention };

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    retention: { type: 'boolean', default: false },
    /** A folder for the product's CPU profiles. */
    profile: { type: 'string' },
    /** Where the numbers go. */
    out: { type: 'string', default: 'bench.json' },
  },
});
const wanted = values.retention ? ['retention'] : (values.only?.split(',') ?? Object.keys(usual));
const unknown = wanted.filter((name) => !(name in measurements));
if (unknown.length > 0) {
  console.error(`--only takes ${Object.keys(measurements).join(', ')}; not ${unknown.join(', ')}`);
  process.exit(2);
}

const url = process.env['COMFYUI_URL']?.replace(/\/$/, '');
const options = {
  quick: values.quick,
  comfyuiUrl: url === undefined || url === '' ? undefined : url,
  profile: values.profile,
};
const parts: Record<string, Row[]> = {};
for (const name of wanted) {
  process.stderr.write(`${name} …\n`);
  const rows = await measurements[name]!(options);
  parts[name] = rows;
  process.stdout.write(`${tableOf(rows)}\n\n`);
}

const rows = Object.values(parts).flat();
const missed = rows.filter((row) => isMet(row) === false);
await writeFile(
  values.out,
  `${JSON.stringify(
    {
      at: new Date().toISOString(),
      node: process.version,
      machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
      quick: values.quick,
      comfyui: options.comfyuiUrl ?? 'simulated',
      parts,
    },
    null,
    2,
  )}\n`,
);
process.stdout.write(
  missed.length === 0 ? 'Every target is met.\n' : `Missed: ${missed.map(({ name }) => name).join('; ')}\n`,
);
// Connections kept open must not hold the process.
process.exit(0);
