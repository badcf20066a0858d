// Structured logs: one JSON line per event of log-events.ts, with the job's id where there is one, and never a prompt
// or a secret.

import { withoutSecrets } from './core/secrets.ts';
import { type FieldsArgument, type Level, LEVELS, type LogEvent } from './log-events.ts';

export type { Level } from './log-events.ts';

/** Each level takes its own events only, with exactly their fields. */
export interface Log {
  debug<E extends LogEvent<'debug'>>(event: E, ...fields: FieldsArgument<E>): void;
  info<E extends LogEvent<'info'>>(event: E, ...fields: FieldsArgument<E>): void;
  warn<E extends LogEvent<'warn'>>(event: E, ...fields: FieldsArgument<E>): void;
  error<E extends LogEvent<'error'>>(event: E, error: unknown, ...fields: FieldsArgument<E>): void;
}

/** @param service that speaks: api, forwarder, host, controller, webhooks or local; a program has its own name */
export function createLog(
  service: string,
  least: Level,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Log {
  const line = (level: Level, event: string, fields: object | undefined) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return;
    const entry = { at: new Date().toISOString(), level, service, event, ...fields };
    write(`${withoutSecrets(JSON.stringify(entry))}\n`);
  };
  return {
    debug: (event, ...[fields]) => line('debug', event, fields),
    info: (event, ...[fields]) => line('info', event, fields),
    warn: (event, ...[fields]) => line('warn', event, fields),
    error: (event, error, ...[fields]) =>
      line('error', event, {
        ...fields,
        error: error instanceof Error ? error.message : String(error),
        // A stack belongs in the log, and nowhere else.
        stack: error instanceof Error ? error.stack : undefined,
      }),
  };
}
