import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { fixture, startServer, tempFolder, type ServerProcess } from '../process/server.ts';
import { goBackTo, openPage, sideways, until } from './page.ts';
import { browser, useChromium } from './use-chromium.ts';

/** The pages of runs and of actions. */

useChromium();

async function serve(): Promise<ServerProcess> {
  const folder = tempFolder();
  return await startServer({
    PUNCTUAL_DB: join(folder, 'punctual.db'),
    PUNCTUAL_JOBS: fixture('naughty.ts'),
    PUNCTUAL_LEASE_MS: '9000',
    TEST_FOLDER: folder,
  });
}

/** Starts a job so often, one run after another. */
async function runTimes(server: ServerProcess, job: string, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) await server.trigger(job, 10);
}

const rows = (page: Page) => page.locator('tr[data-row]');
const filter = (page: Page) => page.getByRole('combobox', { name: 'Filter runs' });
const q = (page: Page): string | null => new URL(page.url()).searchParams.get('q');

test('from the first page, what failed and why is two clicks away', async () => {
  const server = await serve();
  await runTimes(server, 'good', 1);
  await runTimes(server, 'exits', 1);
  const { page, complaints } = await openPage(browser, server.url);

  await page.getByRole('link', { name: 'Runs', exact: true }).click();
  await page.getByRole('link', { name: 'Problems of the last 24 h' }).click();
  await page.waitForURL(/state%3Aproblem/);
  const shown = await rows(page).allInnerTexts();

  expect(shown).toHaveLength(1);
  expect(shown[0]).toContain('the handler called process.exit(7)');
  await rows(page).getByRole('link', { name: 'failed' }).click();
  await page.waitForURL(/\/runs\/exits/);
  expect(complaints).toEqual([]);
}, 180_000);

test('a filter shows while it is typed, stays through polls, and back leads to the one before', async () => {
  const server = await serve();
  await runTimes(server, 'good', 2);
  await runTimes(server, 'exits', 1);
  const { page, complaints } = await openPage(browser, `${server.url}/runs`);

  await page.keyboard.press('/');
  await page.keyboard.type('job:good');
  await until(async () => (await rows(page).count()) === 2);
  const address = q(page);
  await runTimes(server, 'good', 1);
  await runTimes(server, 'exits', 1);
  await until(async () => (await rows(page).count()) === 3);
  const jobs = await rows(page).locator('td.job').allInnerTexts();
  const typed = await filter(page).inputValue();
  const focused = await filter(page).evaluate((field) => field === document.activeElement);
  await goBackTo(page, ({ searchParams }) => !searchParams.get('q'));
  await until(async () => (await rows(page).count()) === 5);

  expect(address).toBe('job:good');
  expect(new Set(jobs)).toEqual(new Set(['good']));
  expect([typed, focused]).toEqual(['job:good', true]);
  expect(q(page) ?? '').toBe('');
  expect(await filter(page).inputValue()).toBe('');
  expect(complaints).toEqual([]);
}, 180_000);

test('what is wrong with a filter is told while it is typed, with a link to what was meant', async () => {
  const server = await serve();
  await runTimes(server, 'exits', 1);
  const { page, complaints } = await openPage(browser, `${server.url}/runs`);

  await filter(page).fill('state:faild');
  await page.getByText('"faild" is no state').waitFor();
  const hidden = await rows(page).count();
  const polling = await page.locator('[data-poll]').count();
  await page.getByRole('link', { name: 'state:failed' }).click();
  await rows(page).first().waitFor();

  expect([hidden, polling]).toEqual([0, 0]);
  expect(await filter(page).inputValue()).toBe('state:failed');
  expect(await page.locator('[data-poll]').count()).toBe(1);
  expect(complaints).toEqual([]);
}, 180_000);

test('a filter that is put right by typing on goes on polling', async () => {
  const server = await serve();
  await runTimes(server, 'good', 1);
  const { page } = await openPage(browser, `${server.url}/runs`);

  await filter(page).fill('job:');
  await page.getByText('job: says nothing yet').waitFor();
  await filter(page).pressSequentially('good', { delay: 20 });
  await until(async () => (await rows(page).count()) === 1);
  await runTimes(server, 'good', 1);
  await until(async () => (await rows(page).count()) === 2);

  expect(q(page)).toBe('job:good');
}, 180_000);

test('what the filter understands stays open through polls', async () => {
  const server = await serve();
  const { page } = await openPage(browser, `${server.url}/runs`);

  await page.getByText('What the filter understands').click();
  await runTimes(server, 'good', 1);
  await until(async () => (await rows(page).count()) === 1);

  expect(await page.getByText('a length of time back from now').isVisible()).toBe(true);
}, 180_000);

test('pages lead to what is older and back, and keys walk through them', async () => {
  const server = await serve();
  await runTimes(server, 'good', 53);
  const { page, complaints } = await openPage(browser, `${server.url}/runs?q=job:good`);

  await page.getByRole('link', { name: 'Older' }).click();
  await page.waitForURL(/cursor=/);
  const older = await rows(page).count();
  const polling = await page.locator('[data-poll]').count();
  await page.getByRole('link', { name: 'Newer' }).click();
  await until(async () => (await rows(page).count()) === 50);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  const second = await rows(page).nth(1).getAttribute('id');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/runs\/good/);

  expect([older, polling]).toEqual([3, 0]);
  expect(decodeURIComponent(page.url())).toContain(second?.replace(/^run-/, '') ?? 'a row');
  expect(complaints).toEqual([]);
}, 180_000);

test('without scripts the filter and the pages work as well', async () => {
  const server = await serve();
  await runTimes(server, 'good', 52);
  await runTimes(server, 'exits', 1);
  const { page } = await openPage(browser, `${server.url}/runs`, { javaScriptEnabled: false });

  await filter(page).fill('job:good');
  await page.getByRole('button', { name: 'Show' }).click();
  await page.waitForURL(/q=job/);
  const found = await rows(page).count();
  await page.getByRole('link', { name: 'Older' }).click();
  await page.waitForURL(/cursor=/);
  const older = await rows(page).count();
  await page.goto(`${server.url}/actions?job=exits`);

  expect([found, older]).toEqual([50, 2]);
  expect(await rows(page).allInnerTexts()).toHaveLength(1);
}, 180_000);

test('the page of actions shows what somebody does elsewhere, and what one job’s are', async () => {
  const server = await serve();
  const { page, complaints } = await openPage(browser, `${server.url}/actions`);

  await server.json('/api/v1/jobs/good/pause', { method: 'PUT' });
  await page.getByText('paused the job').waitFor();
  await runTimes(server, 'chatty', 1);
  await until(async () => (await rows(page).count()) === 2);
  await page.getByRole('combobox', { name: 'Job' }).fill('chatty');
  await until(async () => (await rows(page).count()) === 1);
  await page.getByRole('link', { name: 'a run' }).click();
  await page.waitForURL(/\/runs\/chatty/);

  expect(complaints).toEqual([]);
}, 180_000);

test('neither page scrolls sideways on a phone', async () => {
  const server = await serve();
  await runTimes(server, 'exits', 1);
  await runTimes(server, 'good', 1);
  const { page } = await openPage(browser, `${server.url}/runs`, {
    viewport: { width: 360, height: 740 },
  });

  const widths = [await sideways(page)];
  for (const path of ['/runs?q=state:faild+since:soon', '/actions', '/actions?job=x']) {
    await page.goto(server.url + path);
    widths.push(await sideways(page));
  }

  expect(widths).toEqual([0, 0, 0, 0]);
}, 180_000);
