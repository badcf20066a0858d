// `npm start`. Says what runs, ends by Ctrl-C or SIGTERM; a mistake in the settings is one line and exit 1.

import { localSettings } from '../config.ts';
import { startArrangement } from './arrangement.ts';
import { collectEarly } from '../process/memory.ts';
import { bannerOf } from './banner.ts';
import { explainAndExit, onStopSignal, outliveReaders } from '../process/exit.ts';

try {
  outliveReaders();
  collectEarly();
  const arrangement = await startArrangement(localSettings(process.env));
  onStopSignal(async () => {
    process.stdout.write('\nStopping: what runs is finished, what waits is kept. Again to stop at once.\n');
    await arrangement.stop();
  });
  // Whoever has read this may send a signal at once.
  process.stdout.write(await bannerOf(arrangement));
} catch (error) {
  explainAndExit(error, 'the folder of WORKSPACE_PATH and its disk');
}
