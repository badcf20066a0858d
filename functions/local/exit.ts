export * from '../process/exit.ts';
