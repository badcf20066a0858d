// Which fields callers may set, from --input flags: `6.text`, `prompt`, `6.text=description`. Without one, what is proposed. Pure.

import type { Proposal } from '../api.ts';
import { CommandError } from '../command-error.ts';

type Candidate = Proposal['candidates'][number];

/** As the inputs file has it: docs/workflows.md. */
export type Input = Candidate['input'];

/** By the names that callers use. */
export type Inputs = Record<string, Input>;

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
      throw new CommandError(`--input: ${targetsOf(candidate.input).join(' and ')} is there twice`);
    taken.add(candidate);
    inputs[name] = candidate.input;
  }
  return inputs;
}

const LISTED = 30;

function named(candidates: readonly Candidate[], wanted: string): { name: string; candidate: Candidate } {
  const [, what = '', name] = /^([^=]*)(?:=(.*))?$/s.exec(wanted) ?? [];
  const candidate =
    candidates.find((one) => targetsOf(one.input).includes(what)) ??
    candidates.find((one) => one.name === what);
  if (!candidate) {
    const all = candidates.map((one) => targetsOf(one.input)[0]!);
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
