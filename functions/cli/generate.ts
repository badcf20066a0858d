// `npm run generate -- "a red fox"`: one job from the terminal, from its flags to its files. Only composes; exit code 0,
// 1 with the reason, or 130 after a signal, which cancels the job.

import { localSettings } from '../config/local.ts';
import { CommandError } from './api.ts';
import { catalogueOf, localCatalogue } from './catalogue.ts';
import { connect, findApi } from './connection.ts';
import { asSeenFrom, currentFolder, destinationOf, inputFiles } from './files.ts';
import { refuseFlagsKeptByNpm } from './flags.ts';
import { helpOf } from './help.ts';
import { firstLook, programOf, readCommand } from './inputs.ts';
import { makeImages } from './job.ts';
import { createProgress } from './progress.ts';
import { runMain } from './run.ts';
import { say, write } from './write.ts';

const environment = process.env;

async function generate(argv: string[], stopped: AbortSignal): Promise<void> {
  const asked = firstLook(argv);
  const found = await findApi(environment);
  const local = () => localCatalogue(localSettings(environment).WORKFLOWS_PATH);
  const catalogue = await (found ? catalogueOf(found.api) : local()).catch((error: unknown) => {
    // Help works without the API too.
    if (asked.help) return local();
    throw error;
  });
  const name = asked.workflow ?? catalogue.names[0]!;
  if (!catalogue.names.includes(name))
    throw new CommandError(`There is no workflow ${name}; --workflow takes ${catalogue.names.join(', ')}`);
  const workflow = await catalogue.describe(name);
  const program = programOf(workflow, catalogue.names);
  if (asked.help) return say(helpOf(program));

  refuseFlagsKeptByNpm(environment, program, '"a red fox"');
  const { body, output } = readCommand(argv, workflow, program);
  const folder = currentFolder(environment);
  const files = await inputFiles(workflow, body, folder);
  const destination = await destinationOf(output, folder);
  stopped.throwIfAborted();

  const progress = createProgress(process.stderr, process.stderr.isTTY && environment['TERM'] !== 'dumb');
  if (!found) progress.say('No API runs here: starting one for this job');
  const connection = await connect(found, environment);
  try {
    stopped.throwIfAborted();
    const print = (path: string) => write(process.stdout, `${asSeenFrom(folder, path)}\n`);
    await makeImages(connection, { body, files, destination }, progress, print, stopped);
  } finally {
    progress.end();
    await connection.stop();
  }
}

await runMain(generate, { stops: true });
