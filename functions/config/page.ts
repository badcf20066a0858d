// Generates docs/settings.md from the tables of all programs; a setting appears once, at the first program that reads it.

import { apiLambda } from './api-lambda.ts';
import { apiProcess } from './api.ts';
import { cli, doctor, keys } from './cli.ts';
import { controllerLambda, controllerProcess } from './controller.ts';
import { defaultOf, takes } from './describe.ts';
import { forwarderLambda, forwarderProcess } from './forwarder.ts';
import { hostProcess, machineHost } from './host.ts';
import { local } from './local.ts';
import { models } from './models.ts';
import type { Setting, Table } from './setting.ts';
import { webhooksLambda, webhooksProcess } from './webhooks.ts';

interface Section {
  title: string;
  about: string;
  programs: Record<string, Table>;
}

const SECTIONS: Section[] = [
  {
    title: '`npm start`',
    about:
      'And `npm run generate`, which starts the same where none runs. `npm start -- --help` shows these.',
    programs: { '`npm start`': local },
  },
  {
    title: 'Each service as a process of its own',
    about: 'As `test/runtime` and `test/chaos` run them.',
    programs: {
      api: apiProcess,
      forwarder: forwarderProcess,
      controller: controllerProcess,
      webhooks: webhooksProcess,
      host: hostProcess,
    },
  },
  {
    title: 'On AWS',
    about: 'CDK sets them, from what `cdk.json` says (below).',
    programs: {
      'api function': apiLambda,
      'forwarder function': forwarderLambda,
      'controller function': controllerLambda,
      'webhooks function': webhooksLambda,
      'host on EC2': machineHost,
    },
  },
  {
    title: 'Programs for the terminal',
    about: 'Beside their flags, which `--help` of each lists.',
    programs: { 'generate, smoke': cli, doctor, keys, models },
  },
];

/** Each program's name and table. */
export const PROGRAMS: readonly (readonly [string, Table])[] = SECTIONS.flatMap(({ programs }) =>
  Object.entries(programs),
);
/** All programs except those for the terminal. */
const PROCESSES = SECTIONS.slice(0, -1).flatMap(({ programs }) => Object.keys(programs));

/** @param deployment the settings of infra, which are not environment variables; @param context their values in cdk.json */
export function settingsPage(deployment: Table, context: Record<string, unknown>): string {
  const shown = new Set<string>();
  const sections = SECTIONS.map(({ title, about, programs }) => {
    const names = new Set(Object.values(programs).flatMap((table) => Object.keys(table)));
    const rows = [...names].filter((name) => !shown.has(name)).map(environmentRow);
    for (const name of names) shown.add(name);
    return `## ${title}\n\n${about}\n\n| variable | takes | default | | read by |\n|---|---|---|---|---|\n${rows.join('')}`;
  });
  const chosen = Object.entries(deployment).map(([name, one]) =>
    row(`\`${name}\``, takes(one), `\`${JSON.stringify(context[name])}\``, one.means),
  );
  return `# Settings

Written by \`npx vitest run test/config -u\` from \`functions/config\` and \`infra/settings.ts\`; a test holds this page to
them. What cannot be read stops the program with one sentence; an empty variable is an absent one.

${sections.join('\n')}
## \`cdk.json\`

The choices of a deployment ("context"), or \`npm run deploy -- -c maxHosts=4\`. Those that need thought are explained in
[infra/RUNBOOK.md](../infra/RUNBOOK.md).

| setting | takes | as it comes | |
|---|---|---|---|
${chosen.join('')}`;
}

/** A setting whose default or meaning differs between programs names them. */
function environmentRow(name: string): string {
  const readers = PROGRAMS.filter(([, table]) => Object.hasOwn(table, name));
  const variants = (of: (one: Setting) => string) => {
    const values = readers.map(([program, table]) => [of(table[name]!), program] as const);
    return [...new Set(values.map(([value]) => value))].map(
      (value) => [value, values.flatMap(([other, program]) => (other === value ? program : []))] as const,
    );
  };
  const [first, ...others] = variants(defaultOf);
  const rest = others.map(([value, where]) => `${value || 'none'} (${where.join(', ')})`);
  const defaults = [first![0] || (rest.length > 0 ? 'none' : ''), ...rest].join('; ');
  const [means, ...otherwise] = variants((one) => one.means);
  const says = [means![0], ...otherwise.map(([value, where]) => `${where.join(', ')}: ${value}`)].join('. ');
  const where = readers.map(([program]) => program);
  const all = PROCESSES.every((program) => where.includes(program));
  return row(
    `\`${name}\``,
    takes(readers[0]![1][name]!),
    defaults,
    says,
    all ? 'all of these' : where.join(', '),
  );
}

const row = (...cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
