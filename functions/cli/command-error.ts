/** One sentence for the terminal: the program prints it and ends with exit code 1. */
export class CommandError extends Error {}
