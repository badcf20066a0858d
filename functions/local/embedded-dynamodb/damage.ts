// Detects a job table that lost data since its last use and reports it, with numbers, before anything is served. A mark
// beside the table records how far its log was on the disk: without it, a log that was cut short or a folder that is gone
// looks like one that never had more.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { AppError } from '../../core/errors.ts';
import { isDiskFull } from '../../core/disk-full.ts';
import { writeWhole } from '../../runtime/identity.ts';
import { waitForLock } from '../../runtime/lock.ts';
import { logName, readLevelFiles } from './leveldb-files.ts';

interface Mark {
  /** Number of the log that was written, and how many of its bytes were on the disk. */
  log: number;
  bytes: number;
  /** Entries in the table at its last start. */
  entries: number;
}

const markOf = (directory: string) => `${directory}.mark.json`;

async function readMark(directory: string): Promise<Mark | undefined> {
  try {
    return JSON.parse(await readFile(markOf(directory), 'utf8')) as Mark;
  } catch {
    // There is no mark, or it is damaged itself: nothing is known.
    return undefined;
  }
}

/**
 * Runs before the table is served. @param repair go on with what can be read
 * @returns what was lost, if the table was repaired
 * @throws AppError bad_setting: what is damaged and lost, and how to go on
 */
export async function checkTable(directory: string, repair: boolean): Promise<string | undefined> {
  // The former process may still hold the lock while it ends.
  const lock = await waitForLock(`${directory}.lock`);
  try {
    const mark = await readMark(directory);
    // Every entry is read: an unreadable block would end each request that meets it.
    const found = (await damageOfFiles(directory, mark)) ?? (await countEntries(directory).catch(damageOf));
    if (typeof found === 'number') {
      await writeMark(directory, { log: 0, bytes: 0, entries: found });
      return undefined;
    }
    if (!repair)
      throw new AppError(
        'bad_setting',
        `The job table in ${directory} is damaged: ${found}. Put a copy of the folder back, or go on with what can be read: WORKSPACE_REPAIR=true`,
        { field: 'WORKSPACE_PATH' },
      );
    if (await readLevelFiles(directory)) await ClassicLevel.repair(directory);
    const entries = await countEntries(directory);
    await writeMark(directory, { log: 0, bytes: 0, entries });
    const before = mark === undefined ? '' : ` of ${mark.entries} at the last start`;
    return `The job table was damaged (${found}) and is repaired: it has ${entries} entries${before}`;
  } finally {
    await lock.release();
  }
}

async function damageOfFiles(directory: string, mark: Mark | undefined): Promise<string | undefined> {
  const files = await readLevelFiles(directory);
  if (!files) return mark && `it is gone, with the ${mark.entries} entries that it had at its last start`;
  if (files.odd !== undefined) return `${files.odd} is no file`;
  if (!files.hasCurrent) return 'its file CURRENT is missing, and with it every entry';
  for (const [number, { damagedAt }] of files.logs)
    if (damagedAt !== undefined)
      return `${logName(number)} cannot be read at byte ${damagedAt}, though it goes on behind it`;
  if (!mark || mark.bytes === 0) return undefined;
  const log = files.logs.get(mark.log);
  const newest = Math.max(0, ...files.logs.keys());
  if (!log) return newest > mark.log || newest === 0 ? undefined : `${logName(mark.log)} is missing`;
  return log.readable < mark.bytes
    ? `of ${mark.bytes} bytes that were written to ${logName(mark.log)}, ${mark.bytes - log.readable} cannot be read`
    : undefined;
}

/** @throws AppError if the disk is full, which is no damage */
function damageOf(error: Error): string {
  const { cause, message } = error;
  if (isDiskFull(error))
    throw new AppError('bad_setting', 'The disk of the job table is full: make room, then start again', {
      field: 'WORKSPACE_PATH',
    });
  return cause instanceof Error ? cause.message : message;
}

async function countEntries(directory: string): Promise<number> {
  const level = new ClassicLevel(directory);
  await level.open();
  try {
    let entries = 0;
    for await (const _ of level.iterator()) entries += 1;
    return entries;
  } finally {
    await level.close();
  }
}

const writeMark = (directory: string, mark: Mark) => writeWhole(markOf(directory), JSON.stringify(mark));

/**
 * While the table is served, records how far its log was one interval ago. All of that is on the disk by then, since
 * every write is synced before its answer.
 */
export function keepMark(directory: string, every = 2000): void {
  let seen: { log: number; bytes: number } | undefined;
  const poll = async () => {
    const names = await readdir(directory);
    const log = Math.max(...names.flatMap((name) => Number(/^(\d+)\.log$/.exec(name)?.[1] ?? 0)));
    const { size } = await stat(join(directory, logName(log)));
    const { log: known, bytes = 0, entries = 0 } = (await readMark(directory)) ?? {};
    if (seen && (seen.log !== known || seen.bytes > bytes)) await writeMark(directory, { ...seen, entries });
    seen = { log, bytes: size };
  };
  // A missing folder or a full disk shows up elsewhere, so errors are ignored here.
  setInterval(() => void poll().catch(() => undefined), every).unref();
}
