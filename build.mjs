// Bundles entry points into .build/: plain ESM that starts in a fraction of the sources' time. `node build.mjs` makes
// all programs of this machine, `node build.mjs local keys` those, `node build.mjs lambda` what is deployed (Lambdas
// and GPU host), `node build.mjs infra` the CDK app, `node build.mjs package` the files of `npm pack`, and
// `node build.mjs simulated-comfyui/package` those of that workspace; `node build.mjs keys --then list` runs `keys list` when it is
// built, in the same process. Prints nothing unless it fails. Programs of this machine whose sources are as they were are left
// alone. Files are replaced whole: another build, or a start, may be under way.

import { statSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';

/** Packages that are still CommonJS call require for Node's own modules. */
const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
const shared = {
  write: false,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  mainFields: ['module', 'main'],
  loader: { '.wasm': 'file' },
  logLevel: 'warning',
};

/**
 * A Lambda's credentials are in its environment: the rest of the SDK's chain (profiles, SSO, instance metadata) is a
 * fifth of a bundle that it would never use.
 */
const credentialsFromEnvironment = {
  name: 'credentials-from-environment',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@aws-sdk\/credential-provider-node$/ }, ({ path, resolveDir }) => ({
      path,
      namespace: 'credentials',
      pluginData: resolveDir,
    }));
    onLoad({ filter: /./, namespace: 'credentials' }, ({ pluginData: resolveDir }) => ({
      contents: "export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';",
      resolveDir,
    }));
  },
};

/**
 * The description of the API and MCP's package are bundled by themselves: they need all of zod, and a file of zod that two parts of a
 * bundle need is shared whole.
 */
const ZOD_APART = { 'openapi/document.ts': './openapi.mjs', 'mcp/sdk.ts': './mcp-sdk.mjs' };
const zodApart = {
  name: 'zod-apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/(openapi\/document|sdk)\.ts$/ }, ({ kind, path, importer }) => {
      const apart = ZOD_APART[join(importer, '..', path).split(sep).slice(-2).join('/')];
      return kind === 'dynamic-import' && apart ? { path: apart, external: true } : undefined;
    });
  },
};

const onLambda = { minify: true, plugins: [credentialsFromEnvironment], banner: { js: REQUIRE } };

/** What runs on this machine, by name. */
const programs = {
  local: 'functions/local/main.ts',
  api: 'functions/api/main.ts',
  forwarder: 'functions/forwarder/main.ts',
  controller: 'functions/controller/main.ts',
  webhooks: 'functions/webhooks/main.ts',
  host: 'functions/host/main.ts',
  dynamodb: 'test/support/dynalite/main.ts',
  s3: 'test/support/embedded-s3/main.ts',
  'simulated-comfyui': 'simulated-comfyui/main.ts',
  'comfyui-rest-api': 'functions/cli/main.ts',
  generate: 'functions/cli/generate.ts',
  keys: 'functions/cli/keys.ts',
  models: 'functions/cli/models.ts',
  simulate: 'functions/cli/simulate.ts',
  deploy: 'functions/cli/deploy.ts',
  doctor: 'functions/cli/doctor.ts',
  image: 'functions/cli/image.ts',
  mcp: 'functions/cli/mcp.ts',
  smoke: 'functions/cli/smoke.ts',
  workflows: 'functions/cli/workflows.ts',
  bench: 'test/bench/main.ts',
  'preflight-corpus': 'test/preflight-corpus/main.ts',
  templates: 'test/templates/main.ts',
  'range-server': 'test/bench/range-server.ts',
  'pull-models': 'functions/models/main.ts',
  'part-thread': 'functions/models/part-thread.ts',
  'image-codec/thread': 'functions/images/codec/thread.ts',
  chaos: 'test/chaos/main.ts',
};
/** What is deployed. */
const assets = { lambda, infra, package: packed, 'simulated-comfyui/package': packedStandIn };

/** What the docs page consists of, with its licence. */
const DOCS_PAGE = /^(swagger-ui\.css|swagger-ui-bundle\.js|LICENSE|NOTICE)$/;
/** They serve it, and the console, and convert images by a thread. */
const SERVE_API = ['local', 'api', 'generate', 'workflows', 'comfyui-rest-api'];
const CODEC = 'image-codec/thread';

/** Beside a program's own sources: what decides how they are bundled. */
const ALWAYS = ['build.mjs', 'package-lock.json', 'tsconfig.json'];
/** A file that was saved so shortly before a build may have been read before it was saved. ms. */
const JUST_SAVED = 1000;

/** What a program was made from, and how those files looked. */
const sourcesOf = (name) => join('.build', 'sources', `${name}.json`);

/** Between two licences. */
const RULE = `\n${'-'.repeat(80)}\n\n`;

/** Files written so far. */
let puts = 0;
/** esbuild, once something was built. */
let bundler;

const [, , ...words] = process.argv;
/** What stands before `--then` is built; the first of it is run then, in this process, with what stands behind. */
const then = words.indexOf('--then');
const names = then < 0 ? words : words.slice(0, then);
const unknown = names.find((name) => !Object.hasOwn(programs, name) && !Object.hasOwn(assets, name));
if (unknown !== undefined) {
  const known = [...Object.keys(programs), ...Object.keys(assets)].join(', ');
  console.error(`There is no "${unknown}" to build; there is ${known}`);
  process.exit(1);
}
const wanted = new Set(names.length > 0 ? names : Object.keys(programs));
const servesApi = SERVE_API.some((name) => wanted.has(name));
if (servesApi) wanted.add(CODEC);
const stale = [];
for (const name of wanted) if (Object.hasOwn(programs, name) && !(await isFresh(name))) stale.push(name);
await local(stale);
if (servesApi && !(await isFresh('console'))) await consoleTo('.build/console');
for (const name of wanted) await assets[name]?.();
if (then >= 0) {
  // Its helper process would stay as long as the program runs.
  await bundler?.stop();
  process.argv.splice(2, then + 1);
  await import(`./.build/${names[0]}.mjs`);
}

/**
 * The page that the API serves at `/`. Its files are named by their contents, so that browsers keep them for good; index.html
 * names the first of them. @returns what it was made from
 */
async function consoleTo(outdir) {
  const began = Date.now();
  const { inputs, outputs } = await bundle({
    entryPoints: { console: 'console/main.tsx' },
    outdir,
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    splitting: true,
    minify: true,
    legalComments: 'none',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    outExtension: {},
  });
  const files = Object.keys(outputs).map((path) => basename(path));
  const html = await readFile('console/index.html', 'utf8');
  const entry = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === 'console/main.tsx');
  const names = {
    script: basename(entry[0]),
    style: basename(entry[1].cssBundle),
    parts: partsOf(entry[0], outputs)
      .map((part) => `<link rel="modulepreload" href="console/${basename(part)}" />`)
      .join('\n    '),
  };
  await put(
    join(outdir, 'index.html'),
    html.replaceAll(/\{\{(script|style|parts)\}\}/g, (_, name) => names[name]),
  );
  await keepOnly(outdir, [...files, 'index.html']);
  if (outdir === '.build/console')
    await remember('console', [...Object.keys(inputs), 'console/index.html'], began);
  return Object.keys(inputs);
}

/** What a script imports before it runs: named in the page, they come with it and not after it. */
function partsOf(path, outputs, found = new Set()) {
  for (const { path: part, kind } of outputs[path].imports) {
    if (kind !== 'import-statement' || found.has(part)) continue;
    found.add(part);
    partsOf(part, outputs, found);
  }
  return [...found];
}

/** @returns what the bundles were made from */
async function local(some) {
  if (some.length === 0) return [];
  if (some.some((name) => SERVE_API.includes(name)))
    await copy('node_modules/swagger-ui-dist', '.build/docs', DOCS_PAGE);
  const began = Date.now();
  const { inputs, outputs } = await bundle({
    entryPoints: Object.fromEntries(some.map((name) => [name, programs[name]])),
    outdir: '.build',
    assetNames: 'image-codec/[name]',
    sourcemap: 'linked',
    // Comments of packages are a third of the text, and one sign beyond Latin-1 among them doubles the memory that all of it takes.
    minifyWhitespace: true,
    lineLimit: 120,
    legalComments: 'none',
    // lmdb and LevelDB are native modules, and dynalite loads its parts by name.
    external: [
      'lmdb',
      'dynalite',
      'abstract-level',
      'classic-level',
      'bufferutil',
      'utf-8-validate',
      'esbuild',
    ],
    banner: {
      js: [
        REQUIRE,
        // It says that it will want Node 22 one day; whoever runs this now need not act on it.
        "process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';",
      ].join('\n'),
    },
  });
  for (const name of some) await remember(name, Object.keys(outputs[`.build/${name}.mjs`].inputs), began);
  return Object.keys(inputs);
}

/** Time and size of a file; undefined: there is none. */
function lookOf(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.mtimeMs} ${found.size}`;
}

async function remember(name, inputs, began) {
  const looks = [...ALWAYS, ...inputs].map((path) => [path, lookOf(path)]);
  const isCertain = looks.every(([, look]) => look !== undefined && parseFloat(look) < began - JUST_SAVED);
  if (isCertain) await put(sourcesOf(name), JSON.stringify(looks));
  else await rm(sourcesOf(name), { force: true });
}

/** Whether a program was made from its sources as they are now. */
async function isFresh(name) {
  const made =
    name === 'console'
      ? ['.build/console/index.html']
      : [`.build/${name}.mjs`, ...(SERVE_API.includes(name) ? ['.build/docs'] : [])];
  if (!made.every(lookOf)) return false;
  const sources = await readFile(sourcesOf(name), 'utf8').catch(() => '[]');
  const looks = JSON.parse(sources);
  return looks.length > 0 && looks.every(([path, look]) => lookOf(path) === look);
}

/** One folder each: an asset is a folder. */
async function lambda() {
  await Promise.all([
    bundle({
      entryPoints: {
        'api/openapi': 'functions/api/openapi/document.ts',
        'api/mcp-sdk': 'functions/api/mcp/sdk.ts',
        'forwarder/index': 'functions/forwarder/lambda.ts',
        'controller/index': 'functions/controller/lambda.ts',
        'api/image-codec/thread': 'functions/images/codec/thread.ts',
      },
      outdir: '.build/lambda',
      assetNames: 'api/image-codec/[name]',
      ...onLambda,
    }),
    bundle({
      entryPoints: { index: 'functions/api/lambda.ts' },
      outdir: '.build/lambda/api',
      // What it imports when it is first needed has files of its own: no cold start loads them.
      splitting: true,
      chunkNames: 'parts/[name]-[hash]',
      ...onLambda,
      plugins: [...onLambda.plugins, zodApart],
    }),
    bundle({
      entryPoints: { index: 'functions/webhooks/lambda.ts' },
      outdir: '.build/lambda/webhooks',
      splitting: true,
      chunkNames: 'parts/[name]-[hash]',
      ...onLambda,
    }),
    copy('workflows', '.build/lambda/api/workflows'),
    readFile('functions/comfyui/recorded-object-info.json').then((recorded) =>
      put('.build/lambda/api/recorded-object-info.json', recorded),
    ),
    copy('node_modules/swagger-ui-dist', '.build/lambda/api/docs', DOCS_PAGE),
    consoleTo('.build/lambda/api/console'),
    bundle({
      entryPoints: {
        host: 'functions/host/main.ts',
        models: 'functions/models/main.ts',
        'part-thread': 'functions/models/part-thread.ts',
      },
      outdir: '.build/host',
      minify: true,
      external: ['bufferutil', 'utf-8-validate'],
      // LevelDB looks for its native part in the folder of the file that loads it.
      banner: { js: `${REQUIRE} const __dirname = import.meta.dirname;` },
    }),
    copy(
      'node_modules/classic-level/prebuilds/linux-x64',
      '.build/host/prebuilds/linux-x64',
      /^classic-level\.node$/,
    ),
    copy('infra/host/boot', '.build/host/boot'),
    copy('workflows', '.build/host/workflows'),
  ]);
}

function infra() {
  return bundle({ entryPoints: { infra: 'infra/app.ts' }, outdir: '.build', packages: 'external' });
}

/** package.json names the files: what is installed has neither the sources nor a bundler. */
async function packed() {
  const inputs = [
    ...(await local(['comfyui-rest-api', 'simulated-comfyui', CODEC])),
    ...(await consoleTo('.build/console')),
  ];
  await put('.build/THIRD-PARTY-LICENSES.txt', await licencesOf(inputs));
}

/** The workspace simulated-comfyui as its own package: a program, and a module for tests in the same process. */
async function packedStandIn() {
  const outdir = 'simulated-comfyui/.build';
  await rm(outdir, { recursive: true, force: true });
  const { inputs } = await bundle({
    entryPoints: { main: 'simulated-comfyui/main.ts', index: 'simulated-comfyui/server.ts' },
    outdir,
    splitting: true,
    external: ['bufferutil', 'utf-8-validate'],
    banner: { js: REQUIRE },
  });
  const own = await readFile('LICENSE', 'utf8');
  await put(join(outdir, 'LICENSES.txt'), [own, await licencesOf(Object.keys(inputs))].join(RULE));
}

/** @param inputs paths of bundled files */
async function licencesOf(inputs) {
  const folders = inputs.map((path) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  const licences = await Promise.all(
    [...new Set(folders.filter(Boolean))].toSorted((a, b) => a.localeCompare(b)).map(licenceOf),
  );
  return licences.join(RULE);
}

/** As most licences ask for where their code goes along. */
async function licenceOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const file = (await readdir(folder)).find((one) => /^licen[cs]e/i.test(one));
  const text = file === undefined ? `It names ${license}.\n` : await readFile(join(folder, file), 'utf8');
  if (license === undefined && file === undefined) throw new Error(`${name} has no licence`);
  return `${name} ${version} (${license})\n\n${text}`;
}

/** @returns esbuild's metafile: what went in, and where it came out */
async function bundle(options) {
  // Half of the time of a start that has nothing to build would go into loading it.
  bundler ??= await import('esbuild');
  const { build } = bundler;
  const { outputFiles, metafile } = await build({ ...shared, metafile: true, ...options });
  for (const { path, contents } of outputFiles) await put(path, contents);
  const parts = outputFiles.map(({ path }) => path).filter((path) => basename(dirname(path)) === 'parts');
  if (parts[0])
    await keepOnly(
      dirname(parts[0]),
      parts.map((path) => basename(path)),
    );
  return metafile;
}

async function copy(from, to, wanted = /./) {
  const files = (await readdir(from)).filter((file) => wanted.test(file));
  for (const file of files) await put(join(to, file), await readFile(join(from, file)));
  await keepOnly(to, files);
}

/** What a former build left goes: an asset is known by the hash of its whole folder. */
async function keepOnly(folder, files) {
  for (const file of await readdir(folder))
    if (!files.includes(file)) await rm(join(folder, file), { force: true });
}

async function put(path, contents) {
  // Not beside it: a folder may be read as an asset meanwhile. And of its own name: a file may go to two folders.
  const unfinished = join('.build', `${basename(path)}.${process.pid}.${(puts += 1)}`);
  await mkdir('.build', { recursive: true });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(unfinished, contents);
  await rename(unfinished, path);
}
