// Output of the terminal programs.

/** Resolves when the text is written, since an exit does not wait for a pipe, or when the reader has closed it (`head`). */
export function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) =>
      error && (error as NodeJS.ErrnoException).code !== 'EPIPE' ? reject(error) : resolve(),
    );
  });
}

/** Writes a line to stdout. */
export const say = (line: string): Promise<void> => write(process.stdout, `${line}\n`);

/** Pads rows of text into columns. @param right aligns all but the first column to the right, as for numbers */
export function inColumns(rows: readonly (readonly string[])[], right = false): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    right && column > 0 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
  return rows.map((row) => row.map(pad).join('  ').trimEnd());
}
