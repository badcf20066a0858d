// A job table that lost something since it was last used: said before anything is served, in one sentence with numbers.
// Beside the table lies a mark of how far its log was on the disk: without it a log that was cut short, or a folder that
// is gone, looks like one that never had more.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { AppError } from '../../core/errors.ts';
import { isDiskFull } from '../../runtime/disk-full.ts';
import { writeWhole } from '../../runtime/identity.ts';
import { waitForLock } from '../../runtime/lock.ts';
import { logName, readLevelFiles } from './leveldb-files.ts';

interface Mark {
  /** Number of the log that was written, and how many bytes of it were on the disk. */
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
    // None, or one that is damaged itself: it can say nothing.
    return undefined;
  }
}

/**
 * Before the table is served. @param repair go on with what can be read
 * @returns what was lost, where it was repaired
 * @throws AppError bad_setting: damaged, what is lost, and how to go on
 */
export async function checkTable(directory: string, repair: boolean): Promise<string | undefined> {
  // The former process may be about to end.
  const lock = await waitForLock(`${directory}.lock`);
  try {
    const mark = await readMark(directory);
    // Every entry is read: a block that cannot be would end each request that meets it.
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

/** @throws AppError where nothing is damaged */
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
 * While the table is served: now and then, how far its log was a while ago. By then all of that was on the disk, since
 * every write is there before its answer.
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
  // A folder that is gone, a full disk: said by what they end.
  setInterval(() => void poll().catch(() => undefined), every).unref();
}
