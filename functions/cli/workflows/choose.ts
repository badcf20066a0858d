// Which fields callers may set, from --input flags: `6.text`, `prompt`, `6.text=description`. Without one, what is proposed. Pure.

import type { Proposal } from '../api.ts';
import { CommandError } from '../command-error.ts';

type Candidate = Proposal['candidates'][number];

/** An input, as the inputs file has it: docs/workflows.md. */
export interface Input {
  type: string;
  title?: string;
  required?: boolean;
  default?: unknown;
  minimum?: unknown;
  maximum?: unknown;
  to: string | string[];
}

/** By the names that callers use. */
export type Inputs = Record<string, Input>;

/** The proposal leaves it open: it has the form of the inputs file. */
export const inputOf = ({ input }: Candidate) => input as unknown as Input;
export const targetsOf = ({ to }: Input): string[] => [to].flat();

/** @throws CommandError for one that is none, or is there twice */
export function chosenInputs(candidates: readonly Candidate[], wanted: readonly string[]): Inputs {
  const chosen =
    wanted.length === 0
      ? candidates.filter(({ proposed }) => proposed).map((one) => ({ name: one.name, candidate: one }))
      : wanted.map((one) => named(candidates, one));
  const inputs: Inputs = {};
  const taken = new Set<Candidate>();
  for (const { name, candidate } of chosen) {
    if (Object.hasOwn(inputs, name)) throw new CommandError(`--input: the name ${name} is there twice`);
    if (taken.has(candidate))
      throw new CommandError(`--input: ${targetsOf(inputOf(candidate)).join(' and ')} is there twice`);
    taken.add(candidate);
    inputs[name] = inputOf(candidate);
  }
  return inputs;
}

const LISTED = 30;

function named(candidates: readonly Candidate[], wanted: string): { name: string; candidate: Candidate } {
  const [, what = '', name] = /^([^=]*)(?:=(.*))?$/s.exec(wanted) ?? [];
  const candidate =
    candidates.find((one) => targetsOf(inputOf(one)).includes(what)) ??
    candidates.find((one) => one.name === what);
  if (!candidate) {
    const all = candidates.map((one) => targetsOf(inputOf(one))[0]!);
    const more = all.length > LISTED ? ` and ${all.length - LISTED} more` : '';
    throw new CommandError(
      `--input: callers cannot set "${what}"; there ${all.length === 1 ? 'is' : 'are'} ${all.slice(0, LISTED).join(', ') || 'no fields'}${more}`,
    );
  }
  if (name !== undefined && !/^[a-z][a-z0-9_]*$/.test(name))
    throw new CommandError(
      `--input: "${name}" is no name; it has small letters, digits and underscores: ${what}=prompt`,
    );
  return { name: name ?? candidate.name, candidate };
}
