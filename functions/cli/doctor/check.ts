// One line of the doctor: ok, or what to type next. A check that throws or times out is a line too, so that it does not
// stop the others.

import { withoutSecrets } from '../../core/secrets.ts';

export type Finding =
  | { kind: 'ok'; says: string }
  /** `next`: the command or action that corrects it. */
  | { kind: 'next'; says: string; next: string }
  /** Not checkable because of a problem that another line reports. */
  | { kind: 'not checked'; says: string };

export interface Check {
  name: string;
  run(): Promise<Finding>;
}

export const ok = (says: string): Finding => ({ kind: 'ok', says });
export const next = (says: string, next: string): Finding => ({ kind: 'next', says, next });
export const notChecked = (says: string): Finding => ({ kind: 'not checked', says });

/** A finding to throw from any depth of a check. */
export class Found extends Error {
  constructor(readonly finding: Finding) {
    super(finding.says);
  }
}

/** A `next` finding to throw. */
export const lacking = (says: string, todo: string): Found => new Found(next(says, todo));

/** Runs a check on the value; if that is missing, another line reports why and this one is not checked. */
export async function after<Value>(
  value: Promise<Value>,
  without: string,
  run: (value: Value) => Promise<Finding>,
): Promise<Finding> {
  let there: Value;
  try {
    there = await value;
  } catch {
    return notChecked(without);
  }
  return run(there);
}

const LIMIT = 15_000;
const NAME_WIDTH = 18;

/**
 * Runs all checks at once and prints them in their order.
 * @param explain turns an unexpected error into a finding. @returns whether nothing is missing
 */
export async function runChecks(
  checks: Check[],
  print: (line: string) => Promise<void>,
  explain: (error: unknown) => Finding,
  limit = LIMIT,
): Promise<boolean> {
  const running = checks.map((check) =>
    within(limit, check.run()).catch((error: unknown) => findingOf(error, explain)),
  );
  let missing = 0;
  for (const [index, { name }] of checks.entries()) {
    const finding = await running[index]!;
    if (finding.kind === 'next') missing += 1;
    await print(lineOf(name, finding));
  }
  return missing === 0;
}

export function lineOf(name: string, finding: Finding): string {
  const mark = { ok: 'ok  ', next: 'next', 'not checked': '–   ' }[finding.kind];
  const line = `${mark}  ${name.padEnd(NAME_WIDTH)} ${finding.says}`;
  const todo = finding.kind === 'next' ? `\n      ${''.padEnd(NAME_WIDTH)} → ${finding.next}` : '';
  return withoutSecrets(`${line}${todo}`);
}

export function findingOf(error: unknown, explain: (error: unknown) => Finding): Finding {
  return error instanceof Found ? error.finding : explain(error);
}

async function within<Answer>(limit: number, answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(lacking(`no answer within ${limit / 1000} s`, 'check the network, then npm run doctor again')),
      limit,
    );
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
