// The console on AWS: through CloudFront as the template has it, from the api's bundle, in a real Chromium, with a GPU host that
// the first job starts and images that lie in the bucket.

import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, openBrowser, property, type Visit } from '../console/console.ts';
import { type BehindCloudFront, startBehindCloudFront } from './behind-cloudfront.ts';
import { lacksRuntime, skipped } from './deployment.ts';

describe.skipIf(lacksRuntime)(`the console through CloudFront${skipped}`, { timeout: 120_000 }, () => {
  let aws: BehindCloudFront;
  beforeAll(async () => {
    aws = await startBehindCloudFront();
  }, 120_000);
  afterAll(() => aws?.close());

  test('the page needs no key and is asked for each time; its files are kept by CloudFront', async () => {
    const page = await fetch(`${aws.cloudFront.url}/`);
    expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-cache']);
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'/);
    const files = [...(await page.text()).matchAll(/console\/[\w.-]+/g)].map(([file]) => file);
    // The style, the entry, and the parts that the page fetches ahead.
    expect(files.map((file) => file.slice(file.lastIndexOf('.')))).toEqual(
      expect.arrayContaining(['.css', '.js']),
    );
    const before = aws.cloudFront.hits();
    for (const from of ['Miss', 'Hit'])
      for (const file of files) {
        const answer = await fetch(`${aws.cloudFront.url}/${file}`);
        expect([answer.status, answer.headers.get('x-cache')]).toEqual([200, `${from} from cloudfront`]);
        expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(0);
      }
    expect(aws.cloudFront.hits() - before).toBe(files.length);
    expect((await fetch(`${aws.cloudFront.url}/${files[0]}`, { method: 'POST' })).status).toBe(403);
  });

  test.skipIf(!hasChromium)('a person with a key gets an image, from no host at all', async () => {
    const key = await aws.keyOf('alice', ['generate', 'read']);
    const browser = await openBrowser();
    try {
      const { page, close }: Visit = await browser.visit(`${aws.cloudFront.url}/`);
      // Links lead to S3 itself, which is not here: what comes of one is the browser's to allow.
      const png = PNG.sync.write(new PNG({ width: 256, height: 256 }));
      await page.route('https://*.amazonaws.com/**', (route) =>
        route.fulfill({ body: png, contentType: 'image/png' }),
      );
      await page.getByLabel('Key', { exact: true }).fill(key);
      await page.keyboard.press('Enter');
      await page.getByLabel('Prompt', { exact: true }).fill('from far away');
      await page.getByRole('textbox', { name: 'Width' }).fill('256');
      await page.getByRole('textbox', { name: 'Height' }).fill('256');
      await page.keyboard.press('Control+Enter');
      const card = page.getByRole('article', { name: 'from far away' });
      await card.getByText('Done').waitFor({ timeout: 60_000 });
      const shown = card.locator('img');
      await expect.poll(() => property(shown, 'naturalWidth'), { timeout: 10_000 }).toBe(256);
      expect(new URL((await shown.getAttribute('src'))!).origin).not.toBe(aws.cloudFront.url);
      // Made by the api's own bundle, of the image in the bucket.
      await page.getByRole('link', { name: 'Gallery' }).click();
      const thumbnail = page.getByRole('link', { name: /from far away/ }).locator('img');
      await expect.poll(() => property(thumbnail, 'naturalWidth'), { timeout: 30_000 }).toBe(256);
      expect(await thumbnail.getAttribute('src')).toMatch(/^blob:/);
      await close();
    } finally {
      await browser.close();
    }
  });
});
