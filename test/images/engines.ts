// The engines that keep images, each over a place of its own that goes when it is closed.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFolderImages } from '../../functions/images/folder/images.ts';
import type { Images } from '../../functions/images/images.ts';
import { createLateS3Images } from '../../functions/images/s3/late.ts';
import { createLog } from '../../functions/log.ts';
import { BUCKET, credentials, region, startTestS3 } from '../support/embedded-s3/support.ts';

export interface Engine {
  images: Images;
  /** Names of files that are not images yet. */
  unfinished(): Promise<string[]>;
  close(): Promise<void>;
}

export const silent = createLog('test', 'error', () => undefined);

export const ENGINES: Record<'s3' | 'folder', () => Promise<Engine>> = {
  async s3() {
    const s3 = await startTestS3();
    return {
      images: createLateS3Images(BUCKET, { endpoint: s3.url, region, credentials }),
      unfinished: () => readdir(join(s3.directory, '.incoming')),
      close: () => s3.stop(),
    };
  },

  async folder() {
    const directory = await mkdtemp(join(tmpdir(), 'folder-images-'));
    return {
      images: await openFolderImages({ directory, log: silent }),
      unfinished: () => unfinishedIn(directory),
      close: () => rm(directory, { recursive: true, force: true }),
    };
  },
};

/** Of a folder of images. */
export async function unfinishedIn(directory: string): Promise<string[]> {
  return readdir(join(directory, '.incoming')).catch((error: NodeJS.ErrnoException) => {
    // It is made by the first put.
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}
