// The focus stays where a person works, when what had it goes; and screen readers hear of it once.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Console, hasChromium, isFocused, openConsole, type Visit } from './console.ts';

describe.skipIf(!hasChromium)('the focus', () => {
  let shown: Console;
  beforeAll(async () => {
    // A job of 50 steps is there long enough to be cancelled.
    shown = await openConsole({ SIMULATED_STEP_MS: '150' });
  });
  afterAll(() => shown?.close());

  /** Of the element that has it: its name, or where it lies. */
  const focused = ({ page }: Visit) =>
    page.evaluate<string>(
      `(document.activeElement.closest('article')?.ariaLabel ?? document.activeElement.ariaLabel ?? '') + '|' +
        document.activeElement.tagName`,
    );
  async function queue({ page }: Visit, prompt: string, steps = '1') {
    await page.getByLabel('Prompt', { exact: true }).fill(prompt);
    if ((await page.locator('details.more').getAttribute('open')) === null)
      await page.getByText(/More settings/).click();
    await page.getByRole('textbox', { name: 'Steps' }).fill(steps);
    await page.keyboard.press('Control+Enter');
    return page.getByRole('article', { name: prompt });
  }

  test('Cancel leads to what can be done next; a card that goes, to the next card, at last to their place', async () => {
    const visit = await shown.visit();
    const { page, close } = visit;
    await (await queue(visit, 'below')).getByText('Done').waitFor();
    const card = await queue(visit, 'to cancel', '50');
    await card.getByRole('button', { name: 'Cancel' }).focus();
    await page.keyboard.press('Enter');
    await card.getByText('Cancelled').waitFor();
    await expect.poll(() => focused(visit)).toBe('to cancel|BUTTON');
    await card.getByRole('button', { name: 'Take off this list' }).focus();
    await page.keyboard.press('Enter');
    await card.waitFor({ state: 'detached' });
    await expect.poll(() => focused(visit)).toMatch(/^below\|/);
    await page.getByRole('button', { name: 'Take off this list' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => focused(visit)).toBe('What was asked for|SECTION');
    await close();
  });

  test('a job that ends by itself takes the focus of its Cancel not to the page', async () => {
    const visit = await shown.visit();
    const card = await queue(visit, 'ends by itself', '40');
    await card.getByRole('button', { name: 'Cancel' }).focus();
    await card.getByText('Done').waitFor();
    await expect.poll(() => focused(visit)).toMatch(/^ends by itself\|/);
    await visit.close();
  });

  test('Queue has it still when the job is accepted', async () => {
    const visit = await shown.visit();
    const { page, close } = visit;
    await page.getByLabel('Prompt', { exact: true }).fill('queued by Space');
    const button = page.getByRole('button', { name: 'Queue' });
    await button.focus();
    await page.keyboard.press('Space');
    await page.getByRole('article', { name: 'queued by Space' }).getByText('Done').waitFor();
    expect(await isFocused(button)).toBe(true);
    await close();
  });

  test('a tile that is deleted hands it to the next; a question that is not answered, back', async () => {
    const visit = await shown.visit({ at: '#/gallery' });
    const { page, close } = visit;
    const tiles = page.getByRole('list', { name: 'Jobs, newest first' }).getByRole('link');
    await expect.poll(() => tiles.count()).toBeGreaterThanOrEqual(3);
    const [first, second] = await tiles.evaluateAll((all: unknown[]) =>
      all.slice(0, 2).map((one) => (one as { getAttribute(name: string): string }).getAttribute('href')),
    );
    await tiles.first().focus();
    await page.keyboard.press('Enter');
    const remove = page.getByRole('dialog').getByRole('button', { name: 'Delete' });
    await remove.focus();
    await page.keyboard.press('Enter');
    const question = page.getByRole('dialog', { name: 'Delete this job?' });
    await question.getByRole('button', { name: 'Back' }).click();
    await question.waitFor({ state: 'detached' });
    await expect.poll(() => isFocused(remove)).toBe(true);
    await page.keyboard.press('Enter');
    await question.getByRole('button', { name: 'Delete' }).click();
    await page.locator(`a[href="${first}"]`).waitFor({ state: 'detached' });
    await expect.poll(() => isFocused(page.locator(`a[href="${second}"]`))).toBe(true);
    await close();
  });

  test('of an image that is removed it goes to what chooses another', async () => {
    const visit = await shown.visit();
    const { page, close } = visit;
    await page.getByLabel('Workflow').selectOption('flux2_turbo_controlnet');
    await page.getByRole('button', { name: 'Made here' }).click();
    await page.getByRole('dialog').locator('.tile').first().click();
    await page.getByRole('button', { name: 'Remove the image' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => isFocused(page.getByRole('button', { name: 'Made here' }))).toBe(true);
    await close();
  });

  test('details that a link opened, left by an address, give it to the gallery', async () => {
    const visit = await shown.visit();
    const { page, close } = visit;
    await (await queue(visit, 'by a link')).getByText('Done').waitFor();
    await page.goto(`${shown.url}#/gallery`);
    const href = await page.getByRole('link', { name: /by a link/ }).getAttribute('href');
    const other = await shown.visit({ at: href! });
    const details = other.page.getByRole('dialog');
    await details.getByText('by a link').first().waitFor();
    await other.page.evaluate(`location.hash = '#/gallery'`);
    await details.waitFor({ state: 'detached' });
    expect(await other.page.evaluate(`document.activeElement.closest('main') !== null`)).toBe(true);
    await other.close();
    await close();
  });

  test('Show all leads to the search', async () => {
    const { page, close } = await shown.visit({ at: '#/gallery?search=fox' });
    await page.getByRole('button', { name: 'Show all' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => isFocused(page.getByLabel('Words of the prompt'))).toBe(true);
    await close();
  });

  test('a card is said when its state changes, politely, and not at each step; a notice is said once', async () => {
    const visit = await shown.visit();
    const { page, close } = visit;
    // What is said of ComfyUI comes by itself, and is none of what is counted.
    await page.getByText('ComfyUI is simulated here').waitFor();
    await page.evaluate(`
      window.said = [];
      new MutationObserver((changes) => {
        for (const { type, target, addedNodes } of changes) {
          // What goes is not said.
          if (type === 'childList' && addedNodes.length === 0) continue;
          const region = (target.nodeType === 1 ? target : target.parentElement)?.closest('[role=status], [role=alert]');
          if (region) said.push((region.role ?? region.getAttribute('role')) + ': ' + ([...addedNodes].map((one) => one.textContent).join('') || target.textContent));
        }
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    `);
    const card = await queue(visit, 'said once', '30');
    await card.getByText('Done').waitFor();
    const clear = page.getByRole('button', { name: 'Reset' });
    for (let times = 0; times < 3; times += 1) await clear.click();
    const cleared = page.locator('.notice', { hasText: 'The form is as the workflow has it' });
    await cleared.waitFor();
    expect(await cleared.count()).toBe(1);
    const said = await page.evaluate<string[]>('said');
    expect(said.every((one) => one.startsWith('status: '))).toBe(true);
    expect(new Set(said).size).toBe(said.length);
    // Three states, that it was queued, and that the form was cleared.
    expect(said.length).toBeLessThanOrEqual(5);
    await close();
  });
});
