// What a program says on the terminal.

/** Resolves when it is out, for an exit does not wait for a pipe; or when nobody reads it any more, as behind `head`. */
export function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) =>
      error && (error as NodeJS.ErrnoException).code !== 'EPIPE' ? reject(error) : resolve(),
    );
  });
}

/** A line. */
export const say = (line: string): Promise<void> => write(process.stdout, `${line}\n`);

/** Rows of text with their columns in line. @param right all but the first end at the same place, as numbers do */
export function inColumns(rows: readonly (readonly string[])[], right = false): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    right && column > 0 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
  return rows.map((row) => row.map(pad).join('  ').trimEnd());
}
