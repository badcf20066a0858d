// Structured logs: one JSON line a thing, with the job's id where there is one, and never a prompt.

export type LogFields = Record<string, string | number | boolean | null | undefined>;

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, error: unknown, fields?: LogFields): void;
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof LEVELS)[number];

/** @param room the part of the product that speaks */
export function createLog(
  room: string,
  least: Level,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Log {
  const line = (level: Level, event: string, fields: LogFields | undefined) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return;
    write(`${JSON.stringify({ at: new Date().toISOString(), level, room, event, ...fields })}\n`);
  };
  return {
    debug: (event, fields) => line('debug', event, fields),
    info: (event, fields) => line('info', event, fields),
    warn: (event, fields) => line('warn', event, fields),
    error: (event, error, fields) =>
      line('error', event, {
        ...fields,
        error: error instanceof Error ? error.message : String(error),
        // A stack belongs in the log, and nowhere else.
        stack: error instanceof Error ? error.stack : undefined,
      }),
  };
}
