// `npm start`. Says what runs, ends by Ctrl-C or SIGTERM; a mistake in the settings is one line and exit 1.

import { localSettings } from '../config.ts';
import { startArrangement } from './arrangement.ts';
import { collectEarly } from '../process/memory.ts';
import { bannerOf } from './banner.ts';
import { explainAndExit, onStopSignal, outliveReaders, writePrivately } from '../process/exit.ts';

try {
  writePrivately();
  outliveReaders();
  collectEarly();
  const settings = localSettings(process.env);
  const arrangement = await startArrangement(settings);
  onStopSignal(async () => {
    process.stdout.write('\nStopping: what runs is finished, what waits is kept. Again to stop at once.\n');
    await arrangement.stop();
  });
  // Whoever has read this may send a signal at once.
  process.stdout.write(await bannerOf(arrangement, settings));
} catch (error) {
  explainAndExit(error, 'the folder of WORKSPACE_PATH and its disk');
}
