// `npm run workflows -- list|check|add|remove`: what the console's page Workflows does, in a terminal. Asks the API that `generate`
// would ask, which converts, checks and saves. Only composes; exit code 0, 1 with the reason, or 130 after a signal.

import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { localSettings } from '../config/local.ts';
import { WORKFLOW_NAME, WORKFLOW_NAME_RULE } from '../core/template.ts';
import { programAsTyped } from '../runtime/package.ts';
import { workflowsFolder } from '../runtime/workflows.ts';
import { type Api, CommandError } from './api.ts';
import { connect, type Connection, findApi } from './connection.ts';
import { currentFolder, destinationOf } from './files.ts';
import { flag, type Kind, type Line, refuseFlagsKeptByNpm, several, TEXT, toggle } from './flags.ts';
import { makeImages } from './job.ts';
import { createProgress } from './progress.ts';
import { runProgram } from './run.ts';
import { add } from './workflows/add.ts';
import { check } from './workflows/check.ts';
import { type Asked, checkedList } from './workflows/comfyui.ts';
import { nameOf, readFileAt } from './workflows/file.ts';
import { pairIn } from './workflows/folder.ts';
import { stateOf } from './workflows/report.ts';
import { inColumns, say } from './write.ts';

const environment = process.env;
const folder = currentFolder(environment);

/** The program as the user types it. */
const WORKFLOWS = programAsTyped('workflows');

const NAME: Kind<string> = {
  must: WORKFLOW_NAME_RULE.replace('must ', ''),
  read: (text) => (WORKFLOW_NAME.test(text) ? text : undefined),
};

const ofAdd = ['add'];
const program = {
  name: WORKFLOWS,
  usage: 'list|check|add|remove',
  about: 'The workflows that callers may run, and new ones from the files that ComfyUI saves.',
  commands: {
    list: { means: 'the workflows, what each takes, and whether a ComfyUI can run it' },
    check: {
      word: '[NAME|FILE ...]',
      words: Infinity,
      means:
        'whether ComfyUI can run them, and why not: workflows by name (all where none is named), or files that are not added yet',
    },
    add: {
      word: 'FILE',
      means:
        "adds one from a canvas file (workflow.json), an app's, an API export, or a PNG or WebP that ComfyUI saved",
    },
    remove: { word: 'NAME', means: 'removes one, with both of its files; accepted jobs keep their graph' },
  },
  flags: {
    name: flag(NAME, 'NAME', 'under which callers run it', { of: ofAdd, otherwise: "the file's" }),
    title: flag(TEXT, 'TITLE', 'for people', { of: ofAdd, otherwise: 'its name in words' }),
    input: several('NODE.FIELD=NAME', 'a field that callers may set, and its name (if not the proposed)', {
      of: ofAdd,
      otherwise:
        'those that are proposed; `check FILE` lists all. Its bounds are changed in NAME.inputs.json',
    }),
    try: toggle('makes one image with it, into the current folder', { of: ofAdd }),
    replace: toggle('one of the same name', { of: ofAdd }),
    anyway: toggle('though ComfyUI lacks parts of it, as before its models are there', { of: ofAdd }),
    folder: flag(TEXT, 'FOLDER', 'writes the two files there and not into the API, as for npm run deploy', {
      of: ofAdd,
    }),
  },
  notes: [
    'It asks the API at API_URL (with API_KEY, a key of the scope admin), else the local one that runs with the same WORKSPACE_PATH, else it starts one for this command.',
  ],
};

type Values = Line<typeof program.flags>['values'];

async function workflows(
  { command, words, values }: Line<typeof program.flags>,
  stopped: AbortSignal,
): Promise<number | void> {
  refuseFlagsKeptByNpm(environment, program, `${command} …`);
  const work = await workOf(command, words, values, stopped);
  const found = await findApi(environment);
  const connection = await connect(found, environment);
  try {
    stopped.throwIfAborted();
    return await work(connection, found === undefined);
  } finally {
    await connection.stop();
  }
}

/** @param isOwn whether the API was started for this command */
type Work = (connection: Connection, isOwn: boolean) => Promise<number | void>;

/** Refuses a wrong command line, and a file that cannot be read, before an API is started. */
async function workOf(
  command: string,
  words: readonly string[],
  values: Values,
  stopped: AbortSignal,
): Promise<Work> {
  const [word] = words;
  const asked = ({ api, local }: Connection, isOwn: boolean) => ({ api, local, isOwn, tell });
  if (command === 'list') return (connection, isOwn) => list(asked(connection, isOwn), stopped);
  if (command === 'check') {
    const read = async (one: string) =>
      WORKFLOW_NAME.test(one) ? undefined : readFileAt(resolve(folder, one));
    const all = await Promise.all(words.map(async (one) => ({ word: one, file: await read(one) })));
    return (connection, isOwn) => check(asked(connection, isOwn), all, stopped);
  }
  if (word === undefined)
    throw new CommandError(
      command === 'add' ? 'Which file? add workflow.json' : 'Which one? remove NAME; list shows them',
    );
  if (command === 'remove') return ({ api }) => remove(api, word);
  const file = await readFileAt(resolve(folder, word));
  const into = values.folder === undefined ? undefined : resolve(folder, values.folder);
  const wanted = { ...values, name: values.name ?? nameOf(word), folder: into };
  return async (connection, isOwn) => {
    const whereOf = (name: string) => placeOf(connection, name);
    await add(asked(connection, isOwn), file, wanted, whereOf, stopped);
    if (wanted.try) await tryOnce(connection, wanted.name, stopped);
  };
}

async function list(asked: Asked, stopped: AbortSignal): Promise<void> {
  const { details, refused } = await checkedList(asked, stopped);
  const rows = details.map((one) => [one.name, one.title, stateOf(one), one.inputs.join(', ')]);
  for (const line of inColumns([['name', 'title', 'state', 'inputs'], ...rows])) await say(line);
  for (const reason of refused) tell(`Not used: ${reason}`);
}

async function remove(api: Api, name: string): Promise<void> {
  if (!(await api.workflows()).includes(name))
    throw new CommandError(`There is no workflow ${name}; list shows them`);
  await api.removeWorkflow(name);
  await say(`Removed: ${name}`);
}

/** The files, where they are those of this machine's API as the settings of this terminal have it; else the name. */
async function placeOf({ local }: Connection, name: string): Promise<string> {
  const into = resolve(localSettings(environment).WORKFLOWS_PATH ?? workflowsFolder());
  const isHere = local && (await stat(join(into, `${name}.json`)).catch(() => undefined));
  return isHere ? pairIn(into, name) : name;
}

async function tryOnce(connection: Connection, name: string, stopped: AbortSignal): Promise<void> {
  const progress = createProgress(process.stderr, process.stderr.isTTY && environment['TERM'] !== 'dumb');
  const order = { body: { workflow: name }, files: [], destination: await destinationOf(undefined, folder) };
  try {
    await makeImages(connection, order, progress, say, stopped);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new CommandError(
      `${error.message}. The workflow ${name} stays: add it again with --replace, or ${WORKFLOWS} remove ${name}`,
    );
  } finally {
    progress.end();
  }
}

const tell = (line: string) => void process.stderr.write(`${line}\n`);

await runProgram(program, workflows, { stops: true });
