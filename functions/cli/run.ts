// Runs a program, from its command line to its exit code: help, one sentence on failure, signals.

import { explainAndExit, onStopSignal, ignoreBrokenPipes } from '../runtime/exit.ts';
import { withoutSecrets } from '../core/secrets.ts';
import { CommandError } from './api.ts';
import { type Flags, type Line, type Program, readFlags } from './flags.ts';
import { helpOf } from './help.ts';
import { say, write } from './write.ts';

export type Main = (argv: string[], stopped: AbortSignal) => Promise<number | void>;

interface Ways {
  /** A signal aborts `stopped`, and the program ends by itself with exit code 130; without it, a signal ends the process. */
  stops?: true;
  /** @returns undefined for an error that this program does not know */
  explain?(error: unknown): string | undefined;
}

/** Ends the process with the result of `main` or 0; with 1 and the reason if it throws. */
export async function runMain(main: Main, { stops, explain = () => undefined }: Ways = {}): Promise<never> {
  const stopping = new AbortController();
  const stopped = stopping.signal;
  const run = async () => {
    try {
      return (await main(process.argv.slice(2), stopped)) ?? 0;
    } catch (error) {
      if (stopped.aborted) return 130;
      const sentence = error instanceof CommandError ? error.message : explain(error);
      if (sentence === undefined) throw error;
      await write(process.stderr, `${withoutSecrets(sentence)}\n`);
      return 1;
    }
  };
  ignoreBrokenPipes();
  const ended = run();
  if (stops)
    onStopSignal(
      async () => {
        stopping.abort();
        await ended;
      },
      () => 130,
    );
  try {
    const code = await ended;
    // Flushes both streams: an exit would drop what a pipe has not taken yet.
    await Promise.allSettled([write(process.stdout, ''), write(process.stderr, '')]);
    process.exit(stopped.aborted ? 130 : code);
  } catch (error) {
    explainAndExit(error);
  }
}

/** `runMain` for a program with a fixed table of flags; answers `--help` itself. */
export function runProgram<F extends Flags>(
  program: Program<F>,
  main: (line: Line<F>, stopped: AbortSignal) => Promise<number | void>,
  ways?: Ways,
): Promise<never> {
  return runMain(async (argv, stopped) => {
    const line = readFlags(program, argv, process.env);
    return line ? main(line, stopped) : say(helpOf(program));
  }, ways);
}
