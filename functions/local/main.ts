// `npm start`. Prints what runs; ends by Ctrl-C or SIGTERM. An error in the settings is one line and exit 1.

import { helpOfSettings } from '../config/describe.ts';
import { local, localSettings } from '../config/local.ts';
import { AppError } from '../core/errors.ts';
import { startLocalStack } from './local-stack.ts';
import { collectEarly } from '../runtime/memory.ts';
import { addressesOf, bannerOf } from './banner.ts';
import { explainAndExit, onStopSignal, ignoreBrokenPipes, writePrivately } from '../runtime/exit.ts';

const help = () => `npm start

  Starts the API with all that it needs, and says where it is. Ends by Ctrl-C. It has no flags; these variables of the
  environment set it, each with what holds without it:

${helpOfSettings(local)}`;

try {
  writePrivately();
  ignoreBrokenPipes();
  const [word] = process.argv.slice(2);
  if (word === '--help' || word === '-h') process.stdout.write(help());
  else if (word === undefined) await start();
  else
    throw new AppError('bad_setting', `npm start takes no "${word}"; npm start -- --help lists its settings`);
} catch (error) {
  explainAndExit(error, 'the folder of WORKSPACE_PATH and its disk');
}

async function start(): Promise<void> {
  collectEarly();
  const settings = localSettings(process.env);
  const localStack = await startLocalStack(settings);
  let isStopping = false;
  onStopSignal(async () => {
    isStopping = true;
    process.stdout.write('\nStopping: what runs is finished, what waits is kept. Again to stop at once.\n');
    await localStack.stop();
  });
  // Printed last, since a program that reads this may send a signal at once. Jobs are taken from here on.
  process.stdout.write(addressesOf(localStack, settings));
  const rest = await bannerOf(localStack, settings).catch((error: unknown) => {
    // What was on its way up when the signal came did not get there.
    if (!isStopping) throw error;
  });
  if (rest !== undefined) process.stdout.write(rest);
}
