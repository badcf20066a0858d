// The signature on an offer: one secret, one body, one time, five minutes of skew.

import { describe, expect, it } from 'vitest';
import { isSigned, sign } from '../../functions/core/signature.ts';
import { NOW } from './job-states.ts';

describe('the signature on an offer', () => {
  const body = '{"jobId":"x"}';
  const header = sign('secret', body, NOW);
  const SKEW = 300_000;

  it.each([0, SKEW, -SKEW])('is good %d ms later', (later) => {
    expect(isSigned('secret', body, header, NOW + later)).toBe(true);
  });

  it.each([SKEW + 1, -SKEW - 1])('is too old or too early %d ms later', (later) => {
    expect(isSigned('secret', body, header, NOW + later)).toBe(false);
  });

  it('is for one secret, one body and one time', () => {
    expect(isSigned('Secret', body, header, NOW)).toBe(false);
    expect(isSigned('secret', `${body} `, header, NOW)).toBe(false);
    expect(isSigned('secret', body, header.replace(`t=${NOW}`, `t=${NOW + 1}`), NOW)).toBe(false);
    const flipped = header.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    expect(isSigned('secret', body, flipped, NOW)).toBe(false);
  });

  it.each([
    undefined,
    '',
    't=,v1=',
    `t=${NOW}`,
    `${header}\n`,
    `${header}0`,
    header.toUpperCase(),
    `x${header}`,
  ])('is none in %j', (value) => {
    expect(isSigned('secret', body, value, NOW)).toBe(false);
  });
});
