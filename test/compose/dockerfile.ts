// A Dockerfile's instructions, one by one. Knows only what ours are written in.

export interface Instruction {
  verb: string;
  text: string;
}

export function instructionsOf(dockerfile: string): Instruction[] {
  return dockerfile
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [verb, ...rest] = line.split(' ');
      return { verb: verb!, text: rest.join(' ') };
    });
}
