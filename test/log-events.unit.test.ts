// docs/operations.md against the code: every event with its level, fields and service, every field, metric and alarm.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LOG_EVENTS, type LogEvent, ROUNDS } from '../functions/log-events.ts';
import { METRICS } from '../functions/metrics.ts';
import { createLog } from '../functions/log.ts';

const page = readFileSync('docs/operations.md', 'utf8');
const SERVICES = ['api', 'forwarder', 'host', 'controller', 'webhooks', 'local'];
/** Of what several services run. */
const SEVERAL = 'several';

const chapterOf = (title: string) => page.split(`\n## ${title}\n`)[1]!.split('\n## ')[0]!;

/** The cells of every row, without the heads. */
function rowsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .filter(([first]) => !/^(-+|event|field|metric|alarm)$/.test(first!));
}

/** The names in a cell. */
const namesIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);

const sections = chapterOf('Events')
  .split('\n### ')
  .slice(1)
  .map((text) => ({ title: text.split('\n')[0]!, rows: rowsOf(text) }));

const files = readdirSync('functions', { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && file !== 'log-events.ts',
);

/** Files of functions/ by each event that they log. */
const uses = new Map<string, string[]>();
for (const file of files) {
  const text = readFileSync(join('functions', file), 'utf8');
  for (const [, event] of text.matchAll(/\blog(?:\([^)]*\))?\??\.(?:debug|info|warn|error)\(\s*'([^']+)'/g))
    uses.set(event!, [...(uses.get(event!) ?? []), file]);
}

describe('the events', () => {
  const documented = sections.flatMap(({ rows }) =>
    rows.map(([event, level, fields]) => [namesIn(event!)[0]!, level!, namesIn(fields!)] as const),
  );
  const declared = Object.entries(LOG_EVENTS).map(
    ([event, { level, fields }]) => [event, level, [...fields]] as const,
  );
  const byName = (rows: readonly (readonly [string, string, readonly string[]])[]) =>
    rows.toSorted(([one], [other]) => (one < other ? -1 : 1));

  test('are those of the page, with level and fields', () => {
    expect(byName(documented)).toEqual(byName(declared));
  });

  test('are noun.verb in snake_case, in the order of the alphabet', () => {
    const names = declared.map(([event]) => event);
    expect(names.filter((name) => !/^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$/.test(name))).toEqual([]);
    expect(names).toEqual(names.toSorted());
  });

  test('are logged, all of them', () => {
    expect(declared.map(([event]) => event).filter((event) => !uses.has(event))).toEqual([]);
  });

  test('stand on the page where the service stands that logs them', () => {
    const placed = sections.flatMap(({ title, rows }) =>
      rows.map(([cell]) => {
        const event = namesIn(cell!)[0]!;
        const folders = new Set(uses.get(event)?.map((file) => file.split('/')[0]!));
        const [only] = folders;
        // The host's own part that knows ComfyUI's wire.
        const service = folders.size > 1 ? SEVERAL : only === 'comfyui' ? 'host' : only!;
        return { event, title, right: SERVICES.includes(service) ? service : SEVERAL };
      }),
    );
    expect(placed.filter(({ title, right }) => title !== right)).toEqual([]);
  });

  test('say what they mean and what to do', () => {
    const empty = sections.flatMap(({ rows }) =>
      rows.filter((row) => row.length !== 5 || row[3] === '' || row[4] === '').map(([event]) => event),
    );
    expect(empty).toEqual([]);
  });
});

test('every field that an event has is on the page, and no other', () => {
  const fields = new Set<string>(Object.values(LOG_EVENTS).flatMap((one): readonly string[] => one.fields));
  const listed = rowsOf(chapterOf('Fields')).flatMap(([names]) => namesIn(names!));
  expect(listed.toSorted()).toEqual([...fields].toSorted());
});

test('every periodic task is on the page', () => {
  const [, rounds] = rowsOf(chapterOf('Fields')).find(([name]) => name === '`round`')!;
  expect(namesIn(rounds!)).toEqual(ROUNDS);
});

test('every metric is on the page with its unit', () => {
  const listed = rowsOf(chapterOf('Metrics')).flatMap(([names, units]) => {
    const each = units!.split(', ');
    return namesIn(names!).map((name, index) => [name, each[index] ?? each.at(-1)]);
  });
  expect(Object.fromEntries(listed)).toEqual(METRICS);
  expect(listed).toHaveLength(Object.keys(METRICS).length);
});

test('every page of the runbook about an alarm is on the page', () => {
  const runbook = readFileSync('infra/RUNBOOK.md', 'utf8').split('\n## Alarms\n')[1]!.split('\n## ')[0]!;
  const alarms = [...runbook.matchAll(/^### (\S+)$/gm)].map(([, name]) => name);
  const links = rowsOf(chapterOf('Alarms')).map(([cell]) => cell);
  expect(links).toEqual(alarms.map((name) => `[${name}](../infra/RUNBOOK.md#${name})`));
});

test('links to chapters of the runbook lead to one', () => {
  const runbook = readFileSync('infra/RUNBOOK.md', 'utf8');
  const absent = [...page.matchAll(/RUNBOOK\.md#([\w-]+)/g)].filter(
    ([, anchor]) => !runbook.includes(`\n### ${anchor}\n`),
  );
  expect(absent.map(([link]) => link)).toEqual([]);
});

describe('a line of the log', () => {
  const written: string[] = [];
  const log = createLog('host', 'info', (line) => written.push(line));

  test('is one line of JSON with its service, level, event and fields', () => {
    log.info('job.claimed', { jobId: 'j', hostId: 'h', attempt: 1, traceId: undefined });
    expect(written.pop()).toMatch(/^\{.*\}\n$/);
    log.info('job.claimed', { jobId: 'j', hostId: 'h', attempt: 1, traceId: undefined });
    expect(JSON.parse(written.pop()!)).toEqual({
      at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      level: 'info',
      service: 'host',
      event: 'job.claimed',
      jobId: 'j',
      hostId: 'h',
      attempt: 1,
    });
  });

  test('of an error has its message and stack', () => {
    log.error('job.claim_failed', new Error('no answer'), { jobId: 'j', hostId: 'h' });
    expect(JSON.parse(written.pop()!)).toMatchObject({
      level: 'error',
      jobId: 'j',
      error: 'no answer',
      stack: expect.stringContaining('log-events.unit.test.ts') as string,
    });
  });

  test('has no secret, whatever an error repeats', () => {
    const error = new Error('Request cannot be constructed from http://ann:hunter2@mirror.example/x');
    log.error('job.claim_failed', error, { jobId: 'j', hostId: 'h' });
    const line = written.pop();
    expect(line).toContain('http://…@mirror.example');
    expect(line).not.toContain('hunter2');
  });

  test('below the least level is not written', () => {
    log.debug('nudge.failed', { error: 'x' });
    expect(written).toEqual([]);
  });

  test('takes an event of its level with exactly its fields', () => {
    // @ts-expect-error no such event
    log.info('job.taken', { jobId: 'j' });
    // @ts-expect-error it is a warning
    log.info('job.expired', { jobId: 'j' });
    // @ts-expect-error the owner and the workflow are missing
    log.info('job.accepted', { jobId: 'j' });
    // @ts-expect-error the field has another name
    log.info('job.cancelled', { job_id: 'j' });
    const event: LogEvent<'info'> = 'job.cancelled';
    log.info(event, { jobId: 'j' });
    expect(written.splice(0)).toHaveLength(5);
  });
});
