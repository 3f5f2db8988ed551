import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { fixture, startServer, tempFolder } from '../process/server.ts';
import { openPage, sideways, until } from './page.ts';
import { browser, useChromium } from './use-chromium.ts';

useChromium();

const open = (url: string, options: Parameters<Browser['newPage']>[0] = {}) =>
  openPage(browser, url, options);

async function serve(jobs: string) {
  const folder = tempFolder();
  return await startServer({
    PUNCTUAL_DB: join(folder, 'punctual.db'),
    PUNCTUAL_JOBS: fixture(jobs),
    PUNCTUAL_LEASE_MS: '9000',
    TEST_FOLDER: folder,
  });
}

const row = (page: Page, job: string) => page.locator('tr', { hasText: job }).first();

test('the jobs page starts a run at a click, and shows its end by itself', async () => {
  const server = await serve('naughty.ts');
  const { page, complaints } = await open(server.url);

  await row(page, 'good').getByRole('button', { name: 'Run now' }).click();
  await row(page, 'good').getByRole('link', { name: 'succeeded' }).first().waitFor();

  expect(await page.title()).toContain('Punctual');
  expect(complaints).toEqual([]);
}, 180_000);

test('the jobs page shows what others start, without being loaded again', async () => {
  const server = await serve('naughty.ts');
  const { page } = await open(server.url);
  await page.evaluate(() => Reflect.set(globalThis, 'loadedOnce', true));

  await server.trigger('exits', 5);
  await row(page, 'exits').getByRole('link', { name: 'failed' }).first().waitFor();

  expect(await page.evaluate(() => Reflect.get(globalThis, 'loadedOnce'))).toBe(true);
}, 180_000);

test('a run page tells error, attempts and log, and a running run can be cancelled there', async () => {
  const server = await serve('slow.ts');
  const { id } = await server.trigger('fails-when-lost', 0);
  const { page, complaints } = await open(`${server.url}/runs/${encodeURIComponent(id)}`);
  page.on('dialog', (dialog) => void dialog.accept());

  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText('the run was cancelled').first().waitFor();
  await until(async () => (await server.runs('fails-when-lost'))[0]?.state === 'cancelled');
  await page.getByRole('cell', { name: 'cancelled' }).first().waitFor();

  expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
  expect(complaints).toEqual([]);
}, 180_000);

test('without JavaScript the pages can be read', async () => {
  const server = await serve('naughty.ts');
  const run = await server.trigger('exits', 5);
  const { page } = await open(server.url, { javaScriptEnabled: false });

  const jobs = await page.locator('body').innerText();
  await page.goto(`${server.url}/runs/${encodeURIComponent(run.id)}`);

  expect(jobs).toContain('stray-rejection');
  expect(await page.locator('body').innerText()).toContain('the handler called process.exit(7)');
}, 180_000);

test('no page scrolls sideways on a phone', async () => {
  const server = await serve('naughty.ts');
  const run = await server.trigger('chatty', 20);
  const { page } = await open(server.url, { viewport: { width: 360, height: 740 } });

  const onJobs = await sideways(page);
  await page.goto(`${server.url}/runs/${encodeURIComponent(run.id)}`);

  expect([onJobs, await sideways(page)]).toEqual([0, 0]);
}, 180_000);
