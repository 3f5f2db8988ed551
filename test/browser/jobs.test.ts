import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../server/core/records.ts';
import { compactInstant } from '../../server/core/time.ts';
import { nameOfRun, packOutcomes } from '../../views/packed.ts';
import { duration } from '../../views/time.ts';
import { fixture, startServer, tempFolder } from '../process/server.ts';
import { openPage, sideways, until } from './page.ts';
import { browser, useChromium } from './use-chromium.ts';

/** What the list of jobs does in a browser: its strips, its filter, the buttons of its rows. */

useChromium();

const TIMEOUT = 180_000;

async function serve(jobs = 'naughty.ts') {
  const folder = tempFolder();
  return await startServer({
    PUNCTUAL_DB: join(folder, 'punctual.db'),
    PUNCTUAL_JOBS: fixture(jobs),
    TEST_FOLDER: folder,
  });
}

const row = (page: Page, job: string): Locator => page.locator(`#job-${job}`);
const strip = (page: Page, job: string): Locator => row(page, job).locator('a.strip');
const tip = (page: Page): Locator => page.locator('.tip');
const names = (page: Page): Promise<(string | null)[]> =>
  page.locator('tr[id] .name > a').allTextContents();

/** Answers polls with "nothing new", so that what a test puts on the page stays there. */
const holdStill = (page: Page, url: string): Promise<unknown> =>
  page.route(`${url}/`, (route) =>
    route.request().headers()['hx-request'] === 'true'
      ? route.fulfill({ status: 304 })
      : route.continue(),
  );

/** Where on a strip the nth newest bar is. */
async function placeOf(bars: Locator, nth: number): Promise<{ x: number; y: number }> {
  const box = await bars.locator('svg').boundingBox();
  if (box === null) throw new Error('the strip is not in sight');
  return { x: box.width - ((nth + 0.5) * box.width) / 60, y: box.height / 2 };
}

describe('the strip', () => {
  test(
    'reads what the server packed: each bar is told, and leads to its run',
    async () => {
      const server = await serve();
      await server.trigger('good', 5);
      const { page, complaints } = await openPage(browser, server.url);
      await holdStill(page, server.url);
      const at = (text: string) => Date.parse(`2026-03-01T${text}Z`);
      const id = (text: string) => `good@${compactInstant(at(text))}`;
      const span = (from: string, to: string, why: string) =>
        `${id(from)}..${compactInstant(at(to))}~${why}`;
      const outcomes: Outcome[] = [
        { id: id('00:00:00'), state: 'succeeded', at: at('00:00:01'), ms: 999 },
        { id: id('00:05:00'), state: 'failed', at: at('00:06:40'), ms: 100_000, late: 4200 },
        { id: id('00:10:00'), state: 'timed_out', at: at('00:20:00'), ms: 83 * 60_000 },
        { id: id('00:15:00'), state: 'lost', at: at('00:20:00'), ms: 1250 },
        { id: 'good!abc', state: 'cancelled', at: at('00:21:07'), ms: 3 * 86_400_000 },
        {
          id: span('00:25:00', '00:45:00', 'outage'),
          state: 'missed',
          at: at('00:45:00'),
          ms: null,
        },
        {
          id: span('00:50:00', '00:50:00', 'overlap'),
          state: 'skipped',
          at: at('00:50:00'),
          ms: null,
        },
        {
          id: span('00:55:00', '00:55:00', 'too-many'),
          state: 'missed',
          at: at('00:55:00'),
          ms: null,
        },
      ];
      const packed = packOutcomes('good', outcomes);
      await strip(page, 'good').evaluate((element, runs) => {
        element.dataset['runs'] = runs;
      }, packed);

      const told: (readonly [string | null, string])[] = [];
      await strip(page, 'good').focus();
      for (let n = 0; n < outcomes.length; n += 1) {
        await page.keyboard.press('ArrowLeft');
        told.unshift([
          await strip(page, 'good').getAttribute('href'),
          (await tip(page).innerText()).split('\n').slice(0, 2).join(' | '),
        ]);
      }

      expect(told.map(([href]) => href)).toEqual(
        outcomes.map(({ id: run }) =>
          run === 'good!abc'
            ? `/jobs/good/last/${nameOfRun(run)}`
            : `/runs/${encodeURIComponent(run)}`,
        ),
      );
      const took = outcomes.map(({ ms }) => (ms === null ? '' : ` in ${duration(ms)}`));
      expect(told.map(([, words]) => words)).toEqual([
        `succeeded${took[0]} | 2026-03-01 00:00:00 UTC`,
        `failed${took[1]}, 4 s late | 2026-03-01 00:05:00 UTC`,
        `timed out${took[2]} | 2026-03-01 00:10:00 UTC`,
        `lost${took[3]} | 2026-03-01 00:15:00 UTC`,
        `cancelled${took[4]} | 2026-03-01 00:21:07 UTC`,
        'missed, outage | 2026-03-01 00:25:00 UTC to 2026-03-01 00:45:00 UTC',
        'skipped, overlap | 2026-03-01 00:50:00 UTC',
        'missed, too many | 2026-03-01 00:55:00 UTC',
      ]);
      expect(complaints).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    'opens the run that the pointer is at, and the job where it is at none',
    async () => {
      const server = await serve();
      const first = await server.trigger('exits', 5);
      await server.trigger('exits', 5);
      const { page, complaints } = await openPage(browser, server.url);
      const bars = strip(page, 'exits');

      await bars.hover({ position: await placeOf(bars, 1) });
      await tip(page).getByText('failed').waitFor();
      await page.mouse.move(5, 5);
      const away = [await bars.getAttribute('href'), await tip(page).isVisible()];
      await bars.click({ position: await placeOf(bars, 1) });
      await page.waitForURL(`${server.url}/runs/${encodeURIComponent(first.id)}`);

      expect(away).toEqual(['/jobs/exits', false]);
      expect(complaints).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    'is walked with arrow keys and opened with Enter, and a poll does not lose the place',
    async () => {
      const server = await serve();
      const first = await server.trigger('exits', 5);
      await server.trigger('exits', 5);
      const { page } = await openPage(browser, server.url);

      await strip(page, 'exits').focus();
      await page.keyboard.press('End');
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('ArrowLeft');
      const chosen = await strip(page, 'exits').getAttribute('href');
      await server.trigger('exits', 5);
      await until(async () =>
        ((await strip(page, 'exits').getAttribute('aria-label')) ?? '').includes('3: 3'),
      );
      const still = await strip(page, 'exits').getAttribute('href');
      await page.keyboard.press('Enter');
      await page.waitForURL(`${server.url}/runs/${encodeURIComponent(first.id)}`);

      expect(chosen).toMatch(/^\/jobs\/exits\/last\//);
      expect(still).toBe(chosen);
    },
    TIMEOUT,
  );

  test(
    'tells at a first tap of a finger, and opens at a second',
    async () => {
      const server = await serve();
      const run = await server.trigger('exits', 5);
      const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
      const { page } = await openPage(browser, server.url, phone);
      const bars = strip(page, 'exits');

      await bars.tap({ position: await placeOf(bars, 0) });
      await tip(page).getByText('failed').waitFor();
      const after = page.url();
      await bars.tap({ position: await placeOf(bars, 0) });
      await page.waitForURL(`${server.url}/runs/${encodeURIComponent(run.id)}`);

      expect(after).toBe(`${server.url}/`);
    },
    TIMEOUT,
  );
});

describe('the filter', () => {
  test(
    'narrows the list while it is typed, stays through polls, and goes back with the page',
    async () => {
      const server = await serve();
      const { page, complaints } = await openPage(browser, server.url);
      const all = await names(page);

      await page.keyboard.press('/');
      await page.keyboard.type('exits-');
      await page.waitForURL(/text=exits-/);
      await until(async () => (await names(page)).length === 2);
      await server.trigger('exits-later', 5);
      await row(page, 'exits-later').getByRole('link', { name: 'failed' }).first().waitFor();
      const filtered = await names(page);
      const typed = await page.getByRole('searchbox').inputValue();
      await page.getByRole('link', { name: /failing/ }).click();
      await page.waitForURL(/state=failing/);
      await until(async () => (await names(page)).length === 1);
      const failing = await names(page);
      await page.goBack();
      await until(async () => (await names(page)).length === 2);

      expect(all.length).toBeGreaterThan(10);
      expect(new Set(filtered)).toEqual(new Set(['exits-and-catches', 'exits-later']));
      expect(typed).toBe('exits-');
      expect(failing).toEqual(['exits-later']);
      expect(await page.getByRole('searchbox').inputValue()).toBe('exits-');
      expect(complaints).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    'works without scripts, and so do pages and buttons',
    async () => {
      const server = await serve();
      const { page } = await openPage(browser, server.url, { javaScriptEnabled: false });

      await page.getByRole('searchbox').fill('exits-later');
      await page.keyboard.press('Enter');
      await page.waitForURL(/text=exits-later/);
      const filtered = await names(page);
      await row(page, 'exits-later').getByRole('button', { name: 'Run now' }).click();
      await page.waitForURL(/\/runs\//);
      await page.goto(server.url);
      await page.getByRole('link', { name: /active/ }).click();

      expect(filtered).toEqual(['exits-later']);
      expect(page.url()).toBe(`${server.url}/?state=active`);
    },
    TIMEOUT,
  );
});

test(
  'a job is paused and resumed in its row',
  async () => {
    const server = await serve();
    const { page, complaints } = await openPage(browser, server.url);

    await row(page, 'good').getByRole('button', { name: 'Pause' }).click();
    // A poll may show the pause before the click's answer comes.
    await page.locator('#message').getByText('good is paused').waitFor();
    await row(page, 'good').getByText('until resumed').waitFor();
    const said = await page.locator('#message').innerText();
    const paused = await row(page, 'good').locator('td.state').innerText();
    await row(page, 'good').getByRole('button', { name: 'Resume' }).click();
    await row(page, 'good').getByRole('button', { name: 'Pause' }).waitFor();

    expect(said).toContain(
      'good is paused until it is resumed. Say why, or until when, on its page',
    );
    expect(paused).toContain('paused');
    expect(await row(page, 'good').locator('td.state').innerText()).toContain('idle');
    expect(complaints).toEqual([]);
  },
  TIMEOUT,
);

test(
  'nothing reaches out of the page at any width',
  async () => {
    const server = await serve();
    await server.trigger('exits', 5);
    const { page } = await openPage(browser, server.url);

    const out: number[] = [];
    for (const width of [360, 599, 600, 800, 1179, 1180, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      out.push(await sideways(page));
    }

    expect(out).toEqual([0, 0, 0, 0, 0, 0, 0]);
  },
  TIMEOUT,
);
