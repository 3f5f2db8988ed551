import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { serve } from '../http/client.ts';
import { job } from '../service.ts';
import { goBackTo, openPage, sideways } from './page.ts';
import { browser, useChromium } from './use-chromium.ts';

/** The timeline and the system page. */

useChromium();

const fails = (): never => {
  throw new Error('disk full');
};

/** A service with two hours of history: time goes on only where a test moves it. */
async function history() {
  const served = await serve([
    job({ name: 'orders', schedule: '*/30 * * * *', tags: ['shop'] }),
    job({ name: 'report', schedule: '0 * * * *', run: fails, tags: ['finance'] }),
  ]);
  for (const at of ['00:30:00', '01:00:00', '01:30:00', '02:00:00']) await served.service.wake(at);
  return served;
}

const lanes = (page: Page): Promise<string[]> => page.locator('.lane .who > a').allInnerTexts();
const search = (page: Page) => page.getByRole('searchbox');

test('a filter shows at each key, stays through polls, and back leads to the one before', async () => {
  const { url } = await history();
  const { page, complaints } = await openPage(browser, `${url}/timeline`);
  const before = await lanes(page);

  await page.keyboard.press('/');
  await page.keyboard.type('ord');
  await page.waitForURL(/text=ord/);
  await page.waitForFunction(() => document.querySelectorAll('.lane').length === 1);
  await page.waitForTimeout(4000);
  const filtered = await lanes(page);
  const typed = await search(page).inputValue();
  await goBackTo(page, ({ searchParams }) => !searchParams.get('text'));
  await page.waitForFunction(() => document.querySelectorAll('.lane').length === 2);

  expect([before, filtered, typed]).toEqual([['report', 'orders'], ['orders'], 'ord']);
  expect(await search(page).inputValue()).toBe('');
  expect(complaints).toEqual([]);
}, 180_000);

test('another reach moves the axis, and keeps what is filtered by', async () => {
  const { url } = await history();
  const { page } = await openPage(browser, `${url}/timeline?tag=shop`);

  await page.getByRole('link', { name: '± 6 h' }).click();
  await page.waitForURL(/hours=6/);
  await page.getByRole('img', { name: 'From Sat 20:00 to Sun 08:00 UTC' }).waitFor();

  expect(await lanes(page)).toEqual(['orders']);
  expect(await page.getByRole('combobox', { name: 'Tag' }).inputValue()).toBe('shop');
}, 180_000);

test('keys walk through lanes and along their runs, and open one', async () => {
  const { url } = await history();
  const { page, complaints } = await openPage(browser, `${url}/timeline`);
  const title = (): Promise<string | null | undefined> =>
    page.evaluate(() => document.activeElement?.getAttribute('aria-label'));

  await page.keyboard.press('j');
  await page.keyboard.press('ArrowRight');
  const first = await title();
  await page.keyboard.press('ArrowRight');
  const second = await title();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/runs\/report%4020260301T010000Z/);

  expect([first, second]).toEqual(['Sun 01:00 failed: disk full', 'Sun 02:00 failed: disk full']);
  expect(complaints).toEqual([]);
}, 180_000);

test('the axis is told in the zone of whoever looks, and the time under the pointer too', async () => {
  const { url } = await history();
  const { page } = await openPage(browser, `${url}/timeline`, { timezoneId: 'Asia/Tokyo' });
  const axis = await page.locator('.axis').boundingBox();

  await page.mouse.move((axis?.x ?? 0) + (axis?.width ?? 0) * 0.75, (axis?.y ?? 0) + 80);

  expect(await page.locator('.zones').innerText()).toContain('Asia/Tokyo');
  expect(await page.locator('.axis .here').allTextContents()).toContain('06:00');
  expect(await page.locator('#tl-cursor').innerText()).toBe('Sun 14:00 UTC · 23:00 Asia/Tokyo');
}, 180_000);

test('a run is told and opened from beside it, too: few are wide enough to hit', async () => {
  const { url } = await history();
  const { page, complaints } = await openPage(browser, `${url}/timeline`);
  const mark = await page
    .locator('.lane .bad a')
    .last()
    .evaluate((link) => link.getBoundingClientRect().toJSON() as DOMRect);

  await page.mouse.move(mark.x - 4, mark.y + 10);
  const told = await page.locator('#tl-cursor').innerText();
  await page.mouse.down();
  await page.mouse.up();
  await page.waitForURL(/\/runs\/report%4020260301T020000Z/);

  expect(told).toContain('Sun 02:00 failed: disk full');
  expect(complaints).toEqual([]);
}, 180_000);

test('a new run comes into its lane by itself', async () => {
  const { url, service } = await history();
  const { page } = await openPage(browser, `${url}/timeline?text=orders`);

  await service.wake('02:30:00');
  await page.locator('title', { hasText: 'Sun 02:30 succeeded' }).waitFor({ state: 'attached' });

  expect(await page.locator('.lane .good a').count()).toBe(5);
}, 180_000);

test('without JavaScript all can be read, filtered and opened', async () => {
  const { url } = await history();
  const { page } = await openPage(browser, `${url}/timeline`, { javaScriptEnabled: false });

  await search(page).fill('rep');
  await search(page).press('Enter');
  await page.waitForURL(/text=rep/);
  const filtered = await lanes(page);
  await page.locator('.lane .bad a').first().click();
  await page.waitForURL(/\/runs\/report/);

  expect(filtered).toEqual(['report']);
}, 180_000);

test('neither page scrolls sideways on a phone', async () => {
  const { url, service } = await history();
  await service.clock.advance(3_600_000);
  const phone = { viewport: { width: 360, height: 740 } };
  const { page } = await openPage(browser, `${url}/timeline`, phone);

  const onTimeline = await sideways(page);
  const track = await page.locator('.track').first().boundingBox();
  const name = await page.locator('.who').first().boundingBox();
  await page.goto(`${url}/system`);

  expect([onTimeline, await sideways(page)]).toEqual([0, 0]);
  expect(track?.y).toBeGreaterThan(name?.y ?? Infinity);
}, 180_000);

test('the system page says by itself when something wants a look', async () => {
  const { url, service } = await history();
  const { page, complaints } = await openPage(browser, `${url}/system`);

  await service.clock.advance(2 * 3_600_000);
  await page.getByText('2 jobs came due and were not looked at').waitFor();

  expect(await page.locator('.verdict').innerText()).toMatch(/things? needs? a look/);
  expect(complaints).toEqual([]);
}, 180_000);
