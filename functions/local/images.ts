// The images of the workspace and the links to them. The first start takes over those of release 0.1.

import { join } from 'node:path';
import { isDiskFull } from '../core/disk-full.ts';
import { AppError } from '../core/errors.ts';
import { type FolderImages, openFolderImages } from '../images/folder/images.ts';
import { createLinks, type Links } from '../images/folder/links.ts';
import { takeOverImages } from '../images/folder/take-over.ts';
import type { Log } from '../log.ts';

export interface LocalImagesOptions {
  /** Of the workspace. */
  directory: string;
  /** Of the workspace's identity. */
  secret: string;
  hasRoom(bytes: number): boolean;
  log: Log;
}

/** @throws AppError where the disk is too full to take images over */
export async function openLocalImages({
  directory,
  secret,
  hasRoom,
  log,
}: LocalImagesOptions): Promise<{ images: FolderImages; links: Links; takenOver: number | undefined }> {
  const root = join(directory, 'images');
  const former = join(directory, 's3', 'images');
  let takenOver: number | undefined;
  try {
    takenOver = await takeOverImages(former, root);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    throw new AppError('bad_setting', `The disk of ${directory} is full: make room, then start again`, {
      field: 'WORKSPACE_PATH',
    });
  }
  return {
    images: await openFolderImages({ directory: root, log, hasRoom }),
    links: createLinks({ secret }),
    takenOver,
  };
}
