export * from '../process/listen.ts';
