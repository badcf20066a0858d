// Names that one room writes and another must find again, and names that come from outside.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  attemptPromptId,
  hexOf,
  imageName,
  isJobId,
  isUploadName,
  jobIdFrom,
  jobIdOfImage,
  keys,
  outwardPromptId,
  ownerOrder,
  publishedPrefix,
  stagedName,
  stampedPrefix,
  uploadName,
  workOrder,
} from '../../functions/core/names.ts';

const CANONICAL = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const JOB = jobIdFrom({ owner: 'anna', key: 'k1' });
const OTHER_JOB = jobIdFrom({ owner: 'anna', key: 'k2' });
const jobIds = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((random) => jobIdFrom({ random }));
const check = <T>(property: fc.IProperty<T>) => fc.assert(property, { seed: 11, numRuns: 300 });

describe('ids', () => {
  it('are lowercase canonical UUIDs', () => {
    check(
      fc.property(jobIds, fc.nat(50), (jobId, attempt) => {
        for (const id of [jobId, outwardPromptId(jobId), attemptPromptId(jobId, attempt)])
          expect(id).toMatch(CANONICAL);
        expect(isJobId(jobId)).toBe(true);
      }),
    );
    expect(JOB).toMatch(CANONICAL);
  });

  it('are the same for the same owner and key, and for nobody else', () => {
    expect(jobIdFrom({ owner: 'anna', key: 'k1' })).toBe(JOB);
    const others = [
      { owner: 'anna', key: 'k2' },
      { owner: 'bob', key: 'k1' },
      { owner: 'annak', key: '1' },
      { owner: '', key: 'annak1' },
    ].map(jobIdFrom);
    expect(new Set([JOB, ...others]).size).toBe(5);
  });

  it('without a key are as different as their random bytes', () => {
    const ids = Array.from({ length: 256 }, (_, n) => jobIdFrom({ random: new Uint8Array(16).fill(n) }));
    expect(new Set(ids).size).toBe(256);
  });

  it('outwards one for a job, inwards one for each attempt, never the same', () => {
    const inward = Array.from({ length: 20 }, (_, n) => attemptPromptId(JOB, n + 1));
    expect(new Set([JOB, OTHER_JOB, outwardPromptId(JOB), outwardPromptId(OTHER_JOB), ...inward]).size).toBe(
      24,
    );
    expect(attemptPromptId(JOB, 1)).not.toBe(attemptPromptId(OTHER_JOB, 1));
    expect(outwardPromptId(JOB)).toBe(outwardPromptId(JOB));
  });

  // Written down, since hosts and tables of two releases must agree on them.
  it('do not change from one release to the next', () => {
    expect(JOB).toBe('2b78e042-6847-8c75-9ff1-2e6dfba5f66b');
    expect(outwardPromptId(JOB)).toBe('4eb4bbae-2812-8c21-acc6-fd70b79862e4');
    expect(attemptPromptId(JOB, 1)).toBe('034a84e0-d5fb-828f-bcb5-8180a6102d47');
  });

  it.each([
    '',
    JOB.toUpperCase(),
    `${JOB}\n`,
    ` ${JOB}`,
    hexOf(JOB),
    `{${JOB}}`,
    `${JOB}0`,
    '__proto__',
    '..',
  ])('%j is none', (text) => {
    expect(isJobId(text)).toBe(false);
  });
});

describe("an image's name", () => {
  it('is as the guide has it, and finds its job', () => {
    expect(imageName('Flux2_Turbo', JOB, 1, 'png')).toBe(`Flux2_Turbo_${hexOf(JOB)}_00001_.png`);
    expect(jobIdOfImage(`Flux2_Turbo_${hexOf(JOB)}_00001_.png`)).toBe(JOB);
  });

  it('finds its job whatever prefix a workflow has', () => {
    check(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ maxLength: 120 })),
        jobIds,
        fc.integer({ min: 1, max: 99_999 }),
        fc.constantFrom('png', 'webp', 'jpg'),
        (prefix, jobId, ordinal, extension) => {
          const name = imageName(publishedPrefix(prefix), jobId, ordinal, extension);
          expect(jobIdOfImage(name)).toBe(jobId);
          expect(encodeURIComponent(name)).toBe(name);
          expect(name.length).toBeLessThan(120);
        },
      ),
    );
  });

  it('is told from its neighbours', () => {
    const names = [1, 2, 10, 99_999].flatMap((n) => [
      imageName('A', JOB, n, 'png'),
      imageName('A', OTHER_JOB, n, 'png'),
    ]);
    expect(new Set(names).size).toBe(8);
  });

  const mine = `Flux2_Turbo_${hexOf(JOB)}_00001_.png`;
  it.each([
    '',
    '..',
    '../../etc/passwd',
    `../${mine}`,
    `..%2f${mine}`,
    `a/${mine}`,
    `a\\${mine}`,
    `.${mine}`,
    `_${mine}`,
    `${mine}\n`,
    `${mine}\0`,
    ` ${mine}`,
    `${mine}.`,
    mine.toUpperCase(),
    mine.replace('00001', '1'),
    mine.replace('00001', '000001'),
    mine.replace('png', 'a'),
    mine.replace('.png', ''),
    mine.replace('Flux2', 'Flüx2'),
    mine.replace('Flux2', '🦊'),
    `${'x'.repeat(10_000)}_${mine}`,
    hexOf(JOB),
    '__proto__',
    'constructor',
  ])('%j is none of ours', (name) => {
    expect(jobIdOfImage(name)).toBeUndefined();
  });
});

describe('a prefix', () => {
  it.each([
    ['Flux2_Turbo', 'Flux2_Turbo'],
    ['folder/Flux2', 'Flux2'],
    ['folder\\Flux2', 'Flux2'],
    ['%date:yyyy-MM-dd%/Flux2_%KSampler.seed%', 'Flux2'],
    ['../..', 'ComfyUI'],
    ['', 'ComfyUI'],
    ['.hidden', 'hidden'],
    ['Füchse und Hasen', 'F_chse_und_Hasen'],
    ['狐', 'ComfyUI'],
    ['x'.repeat(200), 'x'.repeat(60)],
  ])('%j is published as %j', (prefix, published) => {
    expect(publishedPrefix(prefix)).toBe(published);
  });

  it('is stamped with job and attempt, so that no two share a file or a cache entry', () => {
    expect(stampedPrefix('out/Flux2_Turbo', JOB, 3)).toBe(`Flux2_Turbo_${hexOf(JOB)}_3`);
  });
});

describe('uploads and staged inputs', () => {
  const sha = 'a'.repeat(64);
  it('an upload is named by its content', () => {
    expect(isUploadName(uploadName(sha, 'png'))).toBe(true);
    for (const name of [
      `${sha}.gif`,
      `${sha}.PNG`,
      `${'A'.repeat(64)}.png`,
      `../${sha}.png`,
      `${sha}.png\n`,
      sha,
      '',
    ])
      expect(isUploadName(name), name).toBe(false);
  });

  it('a staged input is named by job, attempt and file, and keeps its extension', () => {
    const name = stagedName(JOB, 2, keys.upload(`${sha}.webp`));
    expect(name).toMatch(new RegExp(`^${hexOf(JOB)}_2_[0-9a-f]{12}\\.webp$`));
    const names = [
      name,
      stagedName(JOB, 3, keys.upload(`${sha}.webp`)),
      stagedName(JOB, 2, keys.upload(`${'b'.repeat(64)}.webp`)),
      stagedName(OTHER_JOB, 2, keys.upload(`${sha}.webp`)),
    ];
    expect(new Set(names).size).toBe(4);
  });

  it('keys carry job and attempt, under a folder for each kind of thing', () => {
    expect(keys.image(JOB, 2, 'x.png')).toBe(`images/${hexOf(JOB)}/2/x.png`);
    expect(keys.image(JOB, 2, 'x.png').startsWith(keys.imagesOfJob(JOB))).toBe(true);
    expect(keys.graph(JOB)).toBe(`graphs/${hexOf(JOB)}.json.gz`);
    expect(keys.inventory('abc')).toBe('inventories/abc.json.gz');
  });
});

describe('orders', () => {
  const times = fc.integer({ min: 0, max: 9_999_999_999_999 });
  it('turns sort by time, then by sequence', () => {
    const turn = fc.tuple(times, fc.nat(99_999));
    check(
      fc.property(turn, turn, ([time, sequence], [otherTime, otherSequence]) => {
        const before = time === otherTime ? sequence < otherSequence : time < otherTime;
        expect(workOrder(time, sequence) < workOrder(otherTime, otherSequence)).toBe(before);
      }),
    );
    expect(workOrder(5, 7) < workOrder(5, 10)).toBe(true);
    expect(workOrder(1_800_000_000_000, 100_001)).toBe('1800000000000-00001');
  });

  it("an owner's jobs sort by time, then by id", () => {
    check(
      fc.property(times, times, jobIds, jobIds, (time, other, id, otherId) => {
        const before = time === other ? id < otherId : time < other;
        expect(ownerOrder(time, id) < ownerOrder(other, otherId)).toBe(before);
      }),
    );
  });
});
