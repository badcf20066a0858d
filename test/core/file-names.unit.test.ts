// File names: those that find their job again, those that hosts stage and stamp, and hostile ones from outside.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hexOf,
  imageName,
  isStagedName,
  isUploadName,
  jobIdFrom,
  jobIdOfImage,
  keys,
  publishedPrefix,
  stagedName,
  stampedPrefix,
  uploadName,
} from '../../functions/core/names.ts';

const JOB = jobIdFrom({ owner: 'anna', key: 'k1' });
const OTHER_JOB = jobIdFrom({ owner: 'anna', key: 'k2' });
const jobIds = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((random) => jobIdFrom({ random }));

describe("an image's name", () => {
  it('is as the guide has it, and finds its job', () => {
    expect(imageName('Flux2_Turbo', JOB, 1, 'png')).toBe(`Flux2_Turbo_${hexOf(JOB)}_00001_.png`);
    expect(jobIdOfImage(`Flux2_Turbo_${hexOf(JOB)}_00001_.png`)).toBe(JOB);
  });

  it('finds its job whatever prefix a workflow has', () => {
    fc.assert(
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
      { seed: 11, numRuns: 300 },
    );
  });

  it('differs from its neighbours', () => {
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
    expect(stampedPrefix('out/Flux2_Turbo', JOB, 3)).toBe(
      `rest-api/${hexOf(JOB).slice(0, 3)}/Flux2_Turbo_${hexOf(JOB)}_3`,
    );
  });
});

describe('uploads and staged inputs', () => {
  const sha = 'a'.repeat(64);
  it('an upload is named by its content', () => {
    expect(isUploadName(uploadName(sha, 'png'))).toBe(true);
    const others = [
      `${sha}.elevenchars`,
      `${sha}.PNG`,
      `${'A'.repeat(64)}.png`,
      `../${sha}.png`,
      `${sha}.png\n`,
      sha,
      '',
    ];
    expect(others.filter(isUploadName)).toEqual([]);
  });

  it('a staged input is named by its content, whoever reads it, and keeps its extension', () => {
    const own = stagedName({ key: keys.upload('local', `${sha}.webp`) });
    expect(own).toBe(`staged-${sha}.webp`);
    expect(isStagedName(own)).toBe(true);
    expect(stagedName({ key: keys.upload('alice', `${sha}.webp`) })).toBe(own);
    const made = keys.image(JOB, 2, `Flux_${hexOf(JOB)}_00001_.webp`);
    expect(stagedName({ key: made, sha256: sha })).toBe(own);
    const unknown = [stagedName({ key: made }), stagedName({ key: keys.image(OTHER_JOB, 2, 'x.webp') })];
    expect(new Set([own, ...unknown]).size).toBe(3);
    expect(unknown.every(isStagedName)).toBe(true);
    expect(['x.png', `staged-${sha}`, `${sha}.png`, `a/staged-${sha}.png`].filter(isStagedName)).toEqual([]);
  });

  it('keys carry job and attempt, under a folder for each kind of thing', () => {
    expect(keys.image(JOB, 2, 'x.png')).toBe(`images/${hexOf(JOB)}/2/x.png`);
    expect(keys.image(JOB, 2, 'x.png').startsWith(keys.imagesOfJob(JOB))).toBe(true);
    expect(keys.graph(JOB)).toBe(`graphs/${hexOf(JOB)}.json.gz`);
    expect(keys.inventory('abc')).toBe('inventories/abc.json.gz');
  });
});
