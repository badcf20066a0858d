// Bundles the entry points into .build/: plain ESM that starts in a fraction of the sources' time.
// Prints nothing unless it fails. Files are replaced whole: another build, or a start, may be under way.

import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const { outputFiles } = await build({
  write: false,
  entryPoints: {
    local: 'functions/local/main.ts',
    api: 'functions/api/main.ts',
    forwarder: 'functions/forwarder/main.ts',
    controller: 'functions/controller/main.ts',
    host: 'functions/host/main.ts',
    dynamodb: 'functions/local/embedded-dynamodb/main.ts',
    s3: 'functions/local/embedded-s3/main.ts',
    'simulated-comfyui': 'functions/local/simulated-comfyui/main.ts',
    generate: 'functions/cli/generate.ts',
    bench: 'test/bench/main.ts',
    chaos: 'test/chaos/main.ts',
  },
  outdir: '.build',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  mainFields: ['module', 'main'],
  sourcemap: 'linked',
  logLevel: 'warning',
  // LevelDB is a native module, and dynalite loads its parts by name.
  external: ['dynalite', 'abstract-level', 'classic-level', 'bufferutil', 'utf-8-validate', 'esbuild'],
  // Packages that are still CommonJS call require for Node's own modules.
  banner: {
    js: [
      "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      // It says that it will want Node 22 one day; whoever runs this now need not act on it.
      "process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';",
    ].join('\n'),
  },
});

await mkdir('.build', { recursive: true });
for (const { path, contents } of outputFiles) {
  const unfinished = join('.build', `${basename(path)}.${process.pid}`);
  await writeFile(unfinished, contents);
  await rename(unfinished, join('.build', basename(path)));
}
