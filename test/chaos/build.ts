// Bundles the product's entry points, perhaps with a mutation: edits that are applied on the way. Nothing under functions/
// is changed. An edit that does not match exactly once is refused by name: it has become stale.

import { mkdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { randomBytes } from 'node:crypto';
import { build } from 'esbuild';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { goesAtExit } from './folders.ts';

/** An exact text that is in the file once. */
export interface Edit {
  /** From the package's root. */
  file: string;
  find: string;
  replace: string;
}

export class StaleEdit extends Error {
  override readonly name = 'StaleEdit';
}

const ENTRIES = {
  api: 'functions/api/main.ts',
  forwarder: 'functions/forwarder/main.ts',
  controller: 'functions/controller/main.ts',
  host: 'functions/host/main.ts',
  dynamodb: 'test/support/dynalite/main.ts',
  s3: 'test/support/embedded-s3/main.ts',
  comfyui: 'test/chaos/comfyui.ts',
};

export type ProgramName = keyof typeof ENTRIES;

export interface Bundles {
  of(name: ProgramName): string;
  remove(): Promise<void>;
}

/** @throws StaleEdit */
export async function bundle(edits: readonly Edit[] = []): Promise<Bundles> {
  const root = packageRoot();
  const outdir = join(root, '.build', `chaos-${randomBytes(6).toString('hex')}`);
  const edited = new Map<string, string>();
  for (const edit of edits) {
    const text = edited.get(edit.file) ?? (await readFile(join(root, edit.file), 'utf8'));
    const matches = text.split(edit.find).length - 1;
    if (matches !== 1) throw new StaleEdit(`${edit.file} has ${matches} times, not once: ${edit.find}`);
    edited.set(
      edit.file,
      text.replace(edit.find, () => edit.replace),
    );
  }
  await mkdir(outdir, { recursive: true });
  const remove = goesAtExit(outdir);
  await build({
    entryPoints: Object.fromEntries(Object.entries(ENTRIES).map(([name, path]) => [name, join(root, path)])),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    mainFields: ['module', 'main'],
    minifySyntax: true,
    logLevel: 'error',
    external: ['dynalite', 'classic-level', 'bufferutil', 'utf-8-validate'],
    banner: {
      js: [
        "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
        "process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';",
      ].join('\n'),
    },
    plugins: [
      {
        name: 'edits',
        setup(builder) {
          builder.onLoad({ filter: /\/functions\/.*\.ts$/ }, ({ path }) => {
            const contents = edited.get(relative(root, path));
            return contents === undefined ? undefined : { contents, loader: 'ts' };
          });
        },
      },
    ],
  });
  return {
    of: (name) => join(outdir, `${name}.mjs`),
    remove,
  };
}
