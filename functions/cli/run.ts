// A program from its command line to its exit code: help, one sentence where it fails, a signal.

import { explainAndExit, onStopSignal, ignoreBrokenPipes } from '../runtime/exit.ts';
import { CommandError } from './api.ts';
import { type Flags, type Line, type Program, readFlags } from './flags.ts';
import { helpOf } from './help.ts';
import { say, write } from './write.ts';

export type Main = (argv: string[], stopped: AbortSignal) => Promise<number | void>;

interface Ways {
  /** A signal aborts `stopped`, waits for the end and makes the exit code 130; else it ends the process. */
  stops?: true;
  /** Undefined: it is none that this program knows. */
  explain?(error: unknown): string | undefined;
}

/** Ends the process, with what `main` returns or 0; with 1 and the reason where it throws. */
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
      await write(process.stderr, `${sentence}\n`);
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
    // What is on its way to a pipe is not lost.
    await Promise.allSettled([write(process.stdout, ''), write(process.stderr, '')]);
    process.exit(stopped.aborted ? 130 : code);
  } catch (error) {
    explainAndExit(error);
  }
}

/** The same for one whose flags do not depend on anything; `--help` is answered here. */
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
