// What a program says on the terminal.

/** Resolves when it is out: an exit does not wait for a pipe. */
export function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** A line. */
export const say = (line: string): Promise<void> => write(process.stdout, `${line}\n`);
