// Which addresses are accepted for a webhook, and when one is tried again.

import { describe, expect, test } from 'vitest';
import { AppError } from '../../functions/core/errors.ts';
import { nextTry, parseWebhookUrl } from '../../functions/core/webhook.ts';

const refusal = (given: unknown, allowPrivate = false) => {
  try {
    return parseWebhookUrl(given, allowPrivate);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).details).toEqual({ field: 'webhook_url' });
    return `${(error as AppError).code}: ${(error as AppError).message}`;
  }
};

describe('an address', () => {
  test.each([undefined, null])('%s is none', (given) => {
    expect(parseWebhookUrl(given, false)).toBeUndefined();
  });

  test.each([
    ['https://example.com/hook?token=1', 'https://example.com/hook?token=1'],
    ['HTTPS://EXAMPLE.com', 'https://example.com/'],
    ['https://münchen.example/ä', 'https://xn--mnchen-3ya.example/%C3%A4'],
    // What it really is shows when it is called.
    ['https://2130706433/', 'https://127.0.0.1/'],
    ['https://0177.0.0.1/', 'https://127.0.0.1/'],
    ['https://0x7f.1/', 'https://127.0.0.1/'],
  ])('%s is kept as %s', (given, kept) => {
    expect(parseWebhookUrl(given, false)).toBe(kept);
  });

  test.each([
    [7],
    [''],
    ['example.com/hook'],
    ['http://example.com'],
    ['ftp://example.com'],
    ['file:///etc/passwd'],
    ['javascript:alert(1)'],
    ['https://'],
    ['https://999.1.1.1/'],
    [{ url: 'https://example.com' }],
  ])('%j is refused with what it should be', (given) => {
    expect(refusal(given)).toMatch(/^invalid_field: .*webhook_url must be an https address/);
  });

  test('with a password in it is refused', () => {
    for (const given of ['https://a:b@example.com', 'https://a@example.com', 'https://:b@example.com'])
      expect(refusal(given)).toContain('must hold no user name and no password');
  });

  test('may have 2,000 characters, however it is written', () => {
    const long = (length: number, letter = 'a') => `https://example.com/${letter.repeat(length - 20)}`;
    expect(parseWebhookUrl(long(2000), false)).toHaveLength(2000);
    expect(refusal(long(2001))).toContain('at most 2000 characters');
    // Six characters each when they are sent.
    expect(refusal(long(1000, 'ä'))).toContain('at most 2000 characters');
  });

  test('of plain http is for one’s own machines', () => {
    expect(parseWebhookUrl('http://127.0.0.1:8080/x', true)).toBe('http://127.0.0.1:8080/x');
    expect(refusal('ftp://127.0.0.1', true)).toContain('must be an http or https address');
  });
});

describe('a webhook that was never accepted', () => {
  const since = 1_800_000_000_000;
  const DAY = 24 * 3_600_000;

  /** Every try at its time, until it is given up. */
  function tries(random: number): number[] {
    const waits: number[] = [];
    for (let now = since, attempt = 1; ; attempt += 1) {
      const next = nextTry(attempt, since, now, random);
      if (next === undefined) return waits;
      expect(next).toBeGreaterThan(now);
      waits.push((next - now) / 1000);
      now = next;
      expect(waits.length).toBeLessThan(100);
    }
  }

  test('is tried after 5 s, 20 s, and ever more seldom, for the last time after a day', () => {
    const waits = tries(0.5);
    expect(waits.slice(0, 6)).toEqual([5, 20, 80, 320, 1280, 5120]);
    expect(Math.max(...waits)).toBeLessThanOrEqual(4 * 3600);
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBe(DAY / 1000);
    expect(waits).toHaveLength(12);
  });

  test('comes a quarter sooner or later, so that those who failed together do not come back together', () => {
    expect(tries(0).slice(0, 2)).toEqual([3.75, 15]);
    expect(tries(1).slice(0, 2)).toEqual([6.25, 25]);
    for (const random of [0, 0.3, 1]) {
      const waits = tries(random);
      expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeCloseTo(DAY / 1000, 3);
    }
  });

  test('is given up by a sender that reads it after a day, without another try', () => {
    expect(nextTry(10, since, since + DAY, 0.5)).toBeUndefined();
    expect(nextTry(1, since, since + DAY - 1, 0.5)).toBe(since + DAY);
  });

  test('is not given up after two tries because the clock jumped by 25 hours', () => {
    const now = since + (25 / 24) * DAY;
    expect(nextTry(2, since, now, 0.5)).toBe(now + 20_000);
  });
});
