export * from './process/workflows.ts';
