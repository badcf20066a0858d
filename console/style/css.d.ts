// What esbuild takes beside scripts.

declare module '*.css';
