import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { relative } from '../../views/time.ts';
import { fixture, startServer, tempFolder } from '../process/server.ts';
import { openPage, until } from './page.ts';
import { browser, useChromium } from './use-chromium.ts';

/** What each page does in a browser: polls, clocks, keys. */

useChromium();

async function serve() {
  const folder = tempFolder();
  return await startServer({
    PUNCTUAL_DB: join(folder, 'punctual.db'),
    PUNCTUAL_JOBS: fixture('naughty.ts'),
    TEST_FOLDER: folder,
  });
}

/** Counts what a page asks of its own address from now on. */
function polls(page: Page, url: string): () => number {
  let count = 0;
  page.on('request', (request) => {
    if (request.url() === url && request.headers()['hx-request'] === 'true') count += 1;
  });
  return () => count;
}

/** One after the other in one turn. Headless pages are never hidden by themselves. */
const setHidden = (page: Page, ...values: readonly boolean[]): Promise<void> =>
  page.evaluate((all) => {
    for (const value of all) {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
      document.dispatchEvent(new Event('visibilitychange'));
    }
  }, values);

test('a hidden tab asks nothing, and asks at once when it is shown again', async () => {
  const server = await serve();
  const { page } = await openPage(browser, `${server.url}/`);
  const asked = polls(page, `${server.url}/`);

  await until(async () => asked() > 0);
  await setHidden(page, true);
  const before = asked();
  await page.waitForTimeout(7000);
  const whileHidden = asked() - before;
  // Hidden again before time goes on, in which it would ask once more.
  await setHidden(page, false, true);
  await until(async () => asked() > before);

  expect(whileHidden).toBe(0);
  expect(asked() - before).toBe(1);
}, 180_000);

test('an unchanged page is not sent again, and a page that can not be had says so', async () => {
  const server = await serve();
  const { page } = await openPage(browser, `${server.url}/`);
  const statuses: number[] = [];
  page.on('response', (answer) => {
    if (answer.url() === `${server.url}/`) statuses.push(answer.status());
  });

  await until(async () => statuses.length >= 3, 60_000);
  await page.route(`${server.url}/`, (route) =>
    route.fulfill({ status: 503, contentType: 'text/html', body: '<p>the store is away</p>' }),
  );
  await page.getByText('the store is away').waitFor();

  expect(statuses.slice(0, 3)).toEqual([200, 304, 304]);
  expect(await page.locator('tr', { hasText: 'good' }).count()).toBeGreaterThan(0);
  await page.unroute(`${server.url}/`);
  await page.getByText('the store is away').waitFor({ state: 'hidden' });
}, 180_000);

test('a page whose server is away says so until it answers, and so does a click', async () => {
  const server = await serve();
  const { page } = await openPage(browser, `${server.url}/`);
  const trouble = page.locator('#poller');

  await page.route('**/*', (route) => route.abort('connectionrefused'));
  await trouble.getByText('No answer from the server').waitFor();
  await page.getByRole('button', { name: 'Run now: good' }).click();
  const said = await page.getByText('whether it was done is not known').textContent();
  await page.unroute('**/*');
  await trouble.waitFor({ state: 'hidden' });

  expect(said).toBe(
    'No answer from the server: whether it was done is not known. Look before you repeat it.',
  );
  expect(await page.locator('tr', { hasText: 'good' }).count()).toBeGreaterThan(0);
}, 180_000);

test('words for times go on by the rules of the server', async () => {
  const server = await serve();
  const { page } = await openPage(browser, `${server.url}/`);
  const ways = [
    -70 * 86_400_000,
    -50 * 3_600_000,
    -47 * 3_600_000,
    -3 * 3_600_000,
    -119 * 60_000,
    -90_000,
    -59_000,
    -2000,
    3000,
    59_000,
    61_000,
    7_200_000,
    86_400_000,
  ];

  const shown = await page.evaluate(async (away) => {
    const now = Number(document.documentElement.dataset['now']) + performance.now();
    const times = away.map((ms) => {
      const time = document.createElement('time');
      time.dateTime = new Date(now + ms).toISOString();
      time.dataset['words'] = 'relative';
      document.body.append(time);
      return time;
    });
    document.dispatchEvent(new Event('visibilitychange'));
    return times.map((time) => [Date.parse(time.dateTime) - now, time.textContent] as const);
  }, ways);

  const now = 1_900_000_000_000;
  for (const [away, words] of shown.slice(1)) {
    // Its clock began when its script ran, some time after the page did.
    const near = Array.from({ length: 40 }, (_, i) => relative(now + away + i * 200 - 400, now));
    expect(near).toContain(words);
  }
  expect(shown[0]?.[1]).toMatch(/^\d{4}-\d\d-\d\d$/);
}, 180_000);

test('keys walk through rows, open one, go to pages, and tell which there are', async () => {
  const server = await serve();
  const { page, complaints } = await openPage(browser, `${server.url}/system`);

  await page.keyboard.press('?');
  const help = await page.getByRole('dialog').innerText();
  await page.keyboard.press('Escape');
  // Both keys again where so long a time went by between them that they mean nothing.
  await until(async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('j');
    const there = page.waitForURL(`${server.url}/`, { timeout: 15_000 });
    return await there.then(
      () => true,
      () => false,
    );
  }, 60_000);
  await page.keyboard.press('j');
  const first = await page.evaluate(() => document.activeElement?.id);
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  const again = await page.evaluate(() => document.activeElement?.id);

  expect(help).toContain('next row, previous row');
  expect(first).toMatch(/^job-/);
  expect(again).toBe(first);
  expect(complaints).toEqual([]);
}, 180_000);
