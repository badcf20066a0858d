// The bytes of uploads that an owner may keep. Only callers with a key have a limit. The count is never too low, and a
// refusal is checked against the bucket itself: a deleted or expired upload frees its bytes at once.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from '../../core/access.ts';
import { keys } from '../../core/names.ts';
import type { UploadCount, UploadReservation } from '../../core/upload-count.ts';
import { type ApiDeps, keepOf } from '../deps.ts';
import { hasLimits } from './limits.ts';
import { createOwnerView } from './owner-view.ts';
import { Refusal } from '../http/problems.ts';
import { refuseUploads, tooBusy } from './refusals.ts';

/** A count of the bucket is believed for so long, ms: what expires is found then, or when the quota is full. */
const COUNTED_FOR = 3_600_000;
/** An upload that began so long ago, ms, and is not in the bucket, will not come. */
const RESERVATION_KEPT = 600_000;
const TRIES = 8;
/** Of one owner, all in one item of the table. */
const MAX_RESERVATIONS = 500;
/** So that one expression stays below DynamoDB's 4 KB. */
const FORGOTTEN_TOGETHER = 25;

export type Settle = (put: 'written' | 'existed') => Promise<void>;

export interface UploadQuota {
  /**
   * Before an upload is put that is not there yet.
   * @param until ms; when it must have come, where its caller puts it. Absent: now
   * @returns to be called when it is there, and whether it was another that put it @throws Refusal uploads_used_up
   */
  begin(caller: Caller, upload: { name: string; bytes: number }, until?: number): Promise<Settle>;
  /** One that its caller has put was seen. */
  arrived(owner: string, name: string): Promise<void>;
  /** Bytes, with what is under way; without it as of at most an hour ago, deletions aside. */
  used(owner: string): Promise<number>;
  /** One was deleted. */
  freed(owner: string): Promise<void>;
}

/** It will not come any more. */
function isOver({ at }: UploadReservation, now: number): boolean {
  return now - at > RESERVATION_KEPT;
}

interface Snapshot {
  count: UploadCount;
  /** In the bucket, and under way. */
  bytes: number;
  /** Names in the bucket. */
  names: Set<string>;
  /** Of which nothing will come any more. */
  over: UploadReservation[];
  /** When the oldest was put, ms. */
  oldest: number | undefined;
}

export function createUploadQuota(deps: ApiDeps): UploadQuota {
  const { uploadCounts: counts, images, now, log } = deps;
  const owners = createOwnerView(deps);

  /** Reads the reservations before the bucket: an upload that is put in between is in one of them. */
  async function view(owner: string): Promise<Snapshot> {
    const count = await counts.read(owner);
    const under = new Map(count.reservations.map((reservation) => [reservation.name, reservation]));
    const names = new Set<string>();
    let bytes = 0;
    let oldest: number | undefined;
    for await (const { key, sizeBytes, lastModified } of images.list(keys.upload(owner, ''))) {
      bytes += sizeBytes;
      oldest = Math.min(oldest ?? Infinity, lastModified.getTime());
      const name = key.slice(key.lastIndexOf('/') + 1);
      names.add(name);
      under.delete(name);
    }
    for (const reservation of under.values()) if (!isOver(reservation, now())) bytes += reservation.bytes;
    const over = count.reservations
      .filter((reservation) => isOver(reservation, now()) || names.has(reservation.name))
      .slice(0, FORGOTTEN_TOGETHER);
    return { count, bytes, names, over, oldest };
  }

  const replace = ({ count, bytes, over }: Snapshot) => counts.replace(count, bytes, now(), over);

  /** Those that callers put may be many. */
  async function refuseIfMany(owner: string): Promise<void> {
    if ((await counts.read(owner)).reservations.length < MAX_RESERVATIONS) return;
    const seen = await view(owner);
    if (seen.over.length > 0 && (await replace(seen))) return;
    throw new Refusal(
      'too_many_requests',
      `${owner} has asked for ${MAX_RESERVATIONS} links and has not used the files: put them, use them in a job, or come again in a while`,
      { limit: 'uploads' },
      { 'Retry-After': '60' },
    );
  }

  async function begin(owner: string, upload: UploadReservation): Promise<void> {
    const { uploadBytes } = owners.limitsOf(await owners.owner(owner));
    const limit = uploadBytes ?? Number.MAX_SAFE_INTEGER;
    for (let tries = 0; tries < TRIES; tries += 1) {
      if (await counts.begin(owner, upload, now() - COUNTED_FOR, limit)) return;
      const seen = await view(owner);
      // Another has put it just now.
      if (seen.names.has(upload.name)) return;
      const same = seen.count.reservations.find(({ name }) => name === upload.name);
      if (same && !isOver(same, now())) {
        if (await counts.join(owner, upload)) return;
        continue;
      }
      refuseUploads(owner, uploadBytes, upload.bytes, { used: seen.bytes, roomAt: roomAt(seen), now: now() });
      // Refused: another upload began in between.
      if (!(await replace(seen))) await sleep(Math.random() * 10 * 2 ** tries);
    }
    throw tooBusy(owner);
  }

  /** If it fails the count is too high, and is made anew before an upload is refused. */
  async function bestEffort(owner: string, write: () => Promise<void>): Promise<void> {
    await write().catch((error: unknown) => {
      log.warn('upload.count_failed', { owner, error: (error as Error).message });
    });
  }

  /** When the oldest is over by itself. */
  function roomAt({ oldest }: Snapshot): number | undefined {
    return oldest === undefined ? undefined : oldest + keepOf(deps);
  }

  return {
    async begin(caller, upload, until) {
      const { owner } = caller;
      if (!hasLimits(caller)) return () => Promise.resolve();
      if (until !== undefined) await refuseIfMany(owner);
      await begin(owner, { ...upload, at: until === undefined ? now() : until - RESERVATION_KEPT });
      return async (put) => {
        await bestEffort(owner, async () => {
          await counts.done(owner, upload.name);
          // It may have been counted twice.
          if (put === 'existed') await counts.forget(owner);
        });
      };
    },

    async arrived(owner, name) {
      if (deps.admit === undefined) return;
      await bestEffort(owner, () => counts.done(owner, name));
    },

    async used(owner) {
      const count = await counts.read(owner);
      if (count.countedAt >= now() - COUNTED_FOR) return count.bytes;
      const seen = await view(owner);
      await bestEffort(owner, async () => void (await replace(seen)));
      return seen.bytes;
    },

    async freed(owner) {
      // Without keys nothing is counted.
      if (deps.admit === undefined) return;
      await bestEffort(owner, () => counts.forget(owner));
    },
  };
}
