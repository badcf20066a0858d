// Imports point one way, between folders and between files, types included. Source: docs/architecture.md, "Where to look".

import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

/** A folder may import itself and these. `log` and `metrics` are files beside the folders; `runtime` is what
 * every entry point shares. */
const MAY_IMPORT: Record<string, string[]> = {
  core: [],
  log: ['core'],
  config: ['core', 'log'],
  metrics: [],
  machines: ['core', 'log'],
  models: ['core', 'log', 'images'],
  runtime: ['core', 'log'],
  store: ['core', 'log'],
  images: ['core', 'log'],
  comfyui: ['core', 'log'],
  queue: ['core', 'log', 'store'],
  outbound: ['core', 'log'],
  api: ['core', 'log', 'metrics', 'queue', 'store', 'images', 'comfyui', 'outbound'],
  forwarder: ['core', 'log', 'metrics', 'store', 'images', 'comfyui'],
  controller: ['core', 'log', 'metrics', 'queue', 'store', 'images', 'comfyui', 'machines'],
  webhooks: ['core', 'log', 'metrics', 'outbound', 'store', 'images'],
  host: ['core', 'log', 'metrics', 'runtime', 'store', 'images', 'comfyui', 'machines'],
};
/** Within a folder: the folders of it that a folder of it may import, and files of it that all may. */
const WITHIN: Record<string, { files: string[]; folders: Record<string, string[]> }> = {
  api: {
    files: ['deps.ts'],
    folders: {
      answers: [],
      caches: [],
      http: ['answers', 'caches'],
      openapi: ['answers', 'http'],
      admission: ['caches', 'http'],
      routes: ['answers', 'caches', 'http', 'openapi', 'admission'],
      console: ['http', 'facade'],
      facade: ['caches', 'http', 'admission'],
      admin: ['answers', 'caches', 'http', 'admission', 'facade'],
      v2: ['caches', 'http', 'admission', 'facade'],
      openai: ['caches', 'http', 'admission', 'facade'],
      mcp: ['caches', 'http', 'admission', 'facade'],
      runpod: ['caches', 'http', 'admission', 'facade'],
      'comfyui-wire': ['caches', 'http', 'admission', 'facade'],
    },
  },
  host: {
    files: [],
    folders: {
      prompts: [],
      inputs: [],
      claims: ['prompts'],
      attempt: ['claims', 'inputs', 'prompts'],
      machine: ['claims', 'inputs', 'prompts', 'attempt'],
    },
  },
};
/** Each is a process, or several, of its own: none reaches into another, not even where it composes. */
const SERVICES = ['api', 'forwarder', 'controller', 'webhooks', 'host'];
/** Files that compose, and only they, may import any folder and read the environment. */
const COMPOSES = /^(local|cli)\/|^runtime\/(connect|exit)\.ts$|\/(main|lambda|from-settings)\.ts$/;

interface SourceFile {
  /** Below its root. */
  file: string;
  text: string;
  /** Files of the repository, below the same root. */
  imports: string[];
}

async function sources(root = 'functions'): Promise<SourceFile[]> {
  const entries = await readdir(root, { recursive: true });
  const files = entries
    .map((entry) => entry.replaceAll('\\', '/'))
    .filter((entry) => /^(?!\.build\/).*\.ts$/.test(entry));
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(root, file), 'utf8');
      return { file, text, imports: importsOf(root, file, text) };
    }),
  );
}

const folderOf = (file: string) => file.split('/')[0]!.replace(/(-events)?\.ts$/, '');
/** `routes` of `api/routes/queue.ts`; undefined of a file of `api` itself. */
const innerOf = (file: string) => (file.split('/').length > 2 ? file.split('/')[1]! : undefined);

function importsOf(root: string, file: string, text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, path]) =>
    relative(root, resolve(dirname(join(root, file)), path!)).replaceAll('\\', '/'),
  );
}

test('imports between folders point one way', async () => {
  const wrong: string[] = [];
  for (const { file, imports } of await sources()) {
    if (COMPOSES.test(file)) continue;
    const folder = folderOf(file);
    for (const target of imports) {
      const other = folderOf(target);
      if (other !== folder && !MAY_IMPORT[folder]?.includes(other)) wrong.push(`${file} → ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('imports within api and within host point one way', async () => {
  const wrong: string[] = [];
  for (const { file, imports } of await sources()) {
    const within = WITHIN[folderOf(file)];
    const inner = innerOf(file);
    if (!within || inner === undefined) continue;
    if (!Object.hasOwn(within.folders, inner)) wrong.push(`${file} is in a folder that is not known here`);
    for (const target of imports.filter((one) => folderOf(one) === folderOf(file))) {
      const other = innerOf(target);
      const isAllowed =
        other === undefined
          ? within.files.includes(target.slice(folderOf(file).length + 1))
          : other === inner || (within.folders[inner] ?? []).includes(other);
      if (!isAllowed) wrong.push(`${file} → ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

/** Each hangs somewhere by a file of this name. */
async function facades(): Promise<string[]> {
  const mounts = (await sources()).flatMap(({ file }) => /^api\/([\w-]+)\/mount\.ts$/.exec(file)?.[1] ?? []);
  // The operators' routes hang as one, and are the API's own.
  return mounts.filter((name) => name !== 'admin').sort();
}

test('no façade touches the store: of it they know shapes alone', async () => {
  const names = [...(await facades()), 'facade'];
  const wrong = (await sources())
    .filter(({ file }) => names.some((name) => file.startsWith(`api/${name}/`)))
    .filter(({ text }) =>
      [...text.matchAll(/import\s+([^;]*?)'(\.[^']+)'/g)].some(
        ([, what, path]) => /\/store\//.test(path!) && !what!.startsWith('type '),
      ),
    );
  expect(wrong.map(({ file }) => file)).toEqual([]);
});

test('the adapter table has a column for each façade, which says everything', async () => {
  const page = await readFile('docs/facades.md', 'utf8');
  const [head, , folders, ...more] = page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  const named = folders!.slice(1).map((cell) => /^`([\w-]+)`/.exec(cell)?.[1] ?? cell);
  expect(named.sort()).toEqual(await facades());
  for (const row of [folders!, ...more]) expect(row.filter((cell) => cell !== '')).toHaveLength(head!.length);
});

test('what starts a service composes that service alone, and nobody imports it', async () => {
  const wrong: string[] = [];
  for (const { file, imports } of await sources())
    for (const target of imports) {
      const [service, other] = [folderOf(file), folderOf(target)];
      if (SERVICES.includes(service) && SERVICES.includes(other) && service !== other)
        wrong.push(`${file} → ${target}`);
      if (SERVICES.includes(other) && /\/(main|lambda)\.ts$/.test(target)) wrong.push(`${file} → ${target}`);
    }
  expect(wrong).toEqual([]);
});

test('the simulated ComfyUI takes nothing of the product but the recording of what ComfyUI has', async () => {
  const taken = (await sources('simulated-comfyui')).flatMap(({ imports }) =>
    imports.filter((target) => target.startsWith('..')),
  );
  expect(taken).toEqual(['../functions/comfyui/recorded-object-info.json']);
});

test('no circle between files', async () => {
  const all = new Map<string, string[]>();
  for (const root of ['functions', 'simulated-comfyui', 'infra'])
    for (const { file, imports } of await sources(root))
      all.set(
        join(root, file),
        imports.map((target) => join(root, target)),
      );
  expect(circlesOf(all)).toEqual([]);
});

/** One circle for each import that closes one: `a → b → a`. */
function circlesOf(imports: ReadonlyMap<string, string[]>): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    if (path.includes(file)) return void circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
    if (done.has(file)) return;
    path.push(file);
    for (const target of imports.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of imports.keys()) visit(file);
  return circles;
}

test('a circle is found, and named from file to file', () => {
  const imports = new Map([
    ['a', ['b', 'd']],
    ['b', ['c']],
    ['c', ['d', 'b']],
    ['d', []],
  ]);
  expect(circlesOf(imports)).toEqual(['b → c → b']);
});

test('every folder is known here', async () => {
  const folders = new Set((await sources()).map(({ file }) => folderOf(file)));
  expect([...folders].filter((one) => !MAY_IMPORT[one] && !['local', 'cli'].includes(one))).toEqual([]);
});

test('only what composes reads the environment', async () => {
  const readers = (await sources())
    .filter(({ file, text }) => !COMPOSES.test(file) && /process\.env/.test(text))
    .map(({ file }) => file);
  expect(readers).toEqual([]);
});

test('core has no I/O, no clock, no randomness and no SDK', async () => {
  const wrong = (await sources())
    .filter(({ file }) => file.startsWith('core/'))
    .flatMap(({ file, text }) =>
      [
        /Date\.now|new Date\(\)/,
        /Math\.random|randomBytes|randomUUID/,
        /node:(fs|net|http|child)/,
        /@aws-sdk/,
        /fetch\(/,
      ]
        .filter((pattern) => pattern.test(text))
        .map((pattern) => `${file}: ${String(pattern)}`),
    );
  expect(wrong).toEqual([]);
});

test('DynamoDB is known to store and what measures and prices it, S3 to images/s3 and models', async () => {
  const wrong = (await sources()).flatMap(({ file, text }) => {
    const dynamodb =
      /@aws-sdk\/(client|lib)-dynamodb/.test(text) &&
      !/^(store\/|cli\/simulate\/(load|meter|pricing)\.ts$)/.test(file);
    const s3 = /@aws-sdk\/(client-s3|s3-)/.test(text) && !/^(images\/s3|models)\//.test(file);
    return dynamodb || s3 ? [file] : [];
  });
  expect(wrong).toEqual([]);
});
