import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { fixture, startServer, tempFolder } from '../process/server.ts';
import { openPage, sideways, until } from './page.ts';
import { browser, useChromium } from './use-chromium.ts';

/** The page of a run, as somebody uses it who was just told that it failed. */

useChromium();

const TIMEOUT = 180_000;

async function serve() {
  const folder = tempFolder();
  return await startServer({
    PUNCTUAL_DB: join(folder, 'punctual.db'),
    PUNCTUAL_JOBS: fixture('talking.ts'),
  });
}

type Options = Parameters<Browser['newPage']>[0];

/** Starts a job, waits for it so many seconds, and opens the page of its run. */
async function openRun(job: string, wait: number, options: Options = {}, query = '') {
  const server = await serve();
  const { id } = await server.trigger(job, wait);
  const url = `${server.url}/runs/${encodeURIComponent(id)}`;
  const opened = await openPage(browser, url + query, options);
  opened.page.on('dialog', (dialog) => void dialog.accept());
  return { ...opened, server, id, url };
}

const log = (page: Page) => page.locator('#log-lines');
const lines = (page: Page) => log(page).locator('li');
const follow = (page: Page) => page.locator('[data-follow]');
const inSight = (page: Page) => log(page).locator('li:visible');

const scroll = (page: Page) =>
  log(page).evaluate(({ scrollTop, scrollHeight, clientHeight }) => ({
    top: Math.round(scrollTop),
    left: Math.round(scrollHeight - clientHeight - scrollTop),
  }));

const lineCount = (page: Page, least: number): Promise<number | false> =>
  until(async () => {
    const count = await lines(page).count();
    return count >= least && count;
  });

/** The numbers in the lines that say one, in their order. */
const numbers = async (page: Page, word: string): Promise<number[]> =>
  (await lines(page).allInnerTexts()).flatMap((text) => {
    const found = new RegExp(`${word} (\\d+)`).exec(text)?.[1];
    return found === undefined ? [] : [Number(found)];
  });

const counting = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('a live log', () => {
  test(
    'follows its end, stops while somebody reads farther up, and goes on at a click',
    async () => {
      const { page, complaints } = await openRun('talks', 2);

      await lineCount(page, 60);
      const atEnd = await scroll(page);
      // It tells of that only with its next frame: lines that come before would scroll it back.
      await log(page).evaluate((list) => {
        list.scrollTop = 40;
        list.dispatchEvent(new Event('scroll'));
      });
      const before = await lines(page).count();
      await lineCount(page, before + 20);
      const reading = await scroll(page);
      const words = await follow(page).innerText();
      await follow(page).click();
      const after = await scroll(page);

      expect(atEnd.left).toBe(0);
      expect(reading.top).toBe(40);
      expect(words).toMatch(/^\d+ new lines/);
      expect(after.left).toBe(0);
      expect(await follow(page).isVisible()).toBe(false);
      expect(complaints).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    'gets each line once, and none with the page that asks for itself again',
    async () => {
      const { page, url, server, id } = await openRun('talks', 1);
      const ofPage: Promise<string>[] = [];
      page.on('response', (answer) => {
        const again = answer.url() === url && answer.request().headers()['hx-request'] === 'true';
        if (again && answer.status() === 200) ofPage.push(answer.text());
      });

      await lineCount(page, 150);
      await server.json(`/api/v1/runs/${encodeURIComponent(id)}/cancel`, { method: 'POST' });
      await lines(page).getByText('thanks for listening').waitFor();
      await page.locator('.banner .state', { hasText: 'cancelled' }).waitFor();
      const said = await numbers(page, 'line');
      const texts = await Promise.all(ofPage);

      expect(said).toEqual(counting(said.length));
      expect(texts.length).toBeGreaterThan(0);
      expect(texts.filter((text) => text.includes('of a talk'))).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    'is asked for no more once its run is over',
    async () => {
      const { page } = await openRun('talks', 1);
      let asked = 0;
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.locator('.banner .state', { hasText: 'cancelled' }).waitFor();
      await lines(page).getByText('thanks for listening').waitFor();

      page.on('request', () => (asked += 1));
      await page.waitForTimeout(5000);

      expect(asked).toBe(0);
      expect(await page.title()).toBe('talks: cancelled · Punctual');
    },
    TIMEOUT,
  );

  test(
    'hides what does not match what is typed, also of the lines that come later',
    async () => {
      const { page, complaints } = await openRun('talks', 1);

      await page.keyboard.press('/');
      await page.keyboard.type('HOARSE');
      const before = await inSight(page).count();
      await until(async () => (await inSight(page).count()) > before);
      const shown = await inSight(page).allInnerTexts();
      const marks = await page.evaluate(() => CSS.highlights.get('log-found')?.size);
      const words = await page.locator('[data-log-count]').innerText();
      await page.locator('select[name="level"]').selectOption('error');
      const errors = await inSight(page).count();
      await page.locator('select[name="level"]').selectOption('');
      await page.locator('input[name="text"]').fill('');

      expect(shown.every((text) => text.includes('getting hoarse'))).toBe(true);
      expect(marks).toBeGreaterThanOrEqual(shown.length);
      expect(words).toMatch(/^\d+ of \d+ loaded lines$/);
      expect(errors).toBe(0);
      // In one look, for lines go on coming.
      const hidden = await lines(page).evaluateAll(
        (all) => all.filter((one) => !one.checkVisibility()).length,
      );
      expect(hidden).toBe(0);
      expect(complaints).toEqual([]);
    },
    TIMEOUT,
  );
});

describe('a long log', () => {
  test(
    'shows its end, and earlier lines at a click, with what was in sight where it was',
    async () => {
      const { page, complaints } = await openRun('floods', 5);

      const end = await scroll(page);
      await log(page).evaluate((list) => (list.scrollTop = 0));
      const first = lines(page).first();
      const words = await first.innerText();
      const at = (await lines(page).getByText('drop 701').boundingBox())?.y;
      await page.getByRole('link', { name: 'Earlier lines' }).click();
      await lineCount(page, 1000);
      const then = (await lines(page).getByText('drop 701', { exact: true }).boundingBox())?.y;
      await page.getByRole('link', { name: 'Earlier lines' }).click();
      await lineCount(page, 1201);
      await page.getByRole('link', { name: 'Earlier lines' }).waitFor({ state: 'detached' });

      expect(end.left).toBe(0);
      expect(words).toContain('drop 701');
      expect(then).toBeCloseTo(at ?? NaN, -1);
      expect(await numbers(page, 'drop')).toEqual(counting(1200));
      expect(complaints).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    'can be searched whole, and saved whole',
    async () => {
      const { page } = await openRun('floods', 5);

      await page.locator('input[name="text"]').fill('drop 11');
      const loaded = await inSight(page).count();
      await page.getByRole('button', { name: 'Search the whole log' }).click();
      await page.waitForURL(/text=drop/);
      const all = await numbers(page, 'drop');
      const saving = page.waitForEvent('download');
      await page.getByRole('link', { name: 'Download as text' }).click();
      const saved = await (await saving).createReadStream();
      let text = '';
      for await (const part of saved) text += String(part);
      await page.goBack();
      await page.waitForURL((address) => address.search === '');

      expect(loaded).toBe(100);
      expect(all).toEqual([
        11,
        ...counting(10).map((n) => 110 + n),
        ...counting(100).map((n) => 1100 + n),
      ]);
      expect(text.trim().split('\n')).toHaveLength(1201);
      await page.getByText('the last drop').waitFor();
    },
    TIMEOUT,
  );
});

describe('a failed run', () => {
  test(
    'tells what went wrong, is run again at a click, and is there again on going back',
    async () => {
      const { page, url, complaints } = await openRun('fails', 10);

      const banner = await page.locator('#banner').innerText();
      const attempts = await page.locator('#attempts tbody tr').allInnerTexts();
      await page.getByRole('button', { name: 'Run again' }).click();
      await page.waitForURL((address) => address.href !== url);
      await page.getByText('Repeats').waitFor();
      await page.locator('.banner .state', { hasText: 'failed' }).waitFor();
      const again = page.url();
      await page.goBack();
      await page.waitForURL(url);
      await page.getByText('The job has failed').or(page.getByText('failed too')).first().waitFor();

      expect(banner).toMatch(/^Error: the shop is closed\s+failed/);
      expect(attempts).toHaveLength(2);
      expect(again).not.toBe(url);
      expect(complaints).toEqual([]);
    },
    TIMEOUT,
  );
});

test(
  'the slot of a handler that does not stop can be freed, with a warning first',
  async () => {
    const { page, server } = await openRun('deaf', 0);
    const asked: string[] = [];
    page.on('dialog', (dialog) => asked.push(dialog.message()));

    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.locator('#banner', { hasText: 'It ends when its handler does' }).waitFor();
    await page.getByRole('button', { name: 'Free the slot' }).click();
    await page.locator('.banner .state', { hasText: 'cancelled' }).waitFor();

    expect(asked.at(-1)).toContain('the next run of deaf may overlap it');
    expect((await server.runs('deaf'))[0]?.error?.name).toBe('SlotFreed');
  },
  TIMEOUT,
);

describe('without JavaScript', () => {
  const plain = { javaScriptEnabled: false };

  test(
    'the log is there, is searched by its form, and has earlier lines behind a link',
    async () => {
      const { page } = await openRun('floods', 5, plain);

      const newest = await lines(page).count();
      await page.getByRole('link', { name: 'Earlier lines' }).click();
      await page.waitForLoadState();
      const earlier = await numbers(page, 'drop');
      await page.getByRole('link', { name: 'Newest lines' }).click();
      await page.locator('select[name="level"]').selectOption('error');
      await page.getByRole('button', { name: 'Search the whole log' }).click();
      await page.waitForLoadState();

      expect(newest).toBe(500);
      expect(earlier).toEqual(counting(500).map((n) => n + 201));
      expect(await lines(page).allInnerTexts()).toEqual([expect.stringContaining('the last drop')]);
    },
    TIMEOUT,
  );

  test(
    'a run can be cancelled, and run again',
    async () => {
      const { page, url } = await openRun('talks', 1, plain);

      await page.getByRole('button', { name: 'Cancel' }).click();
      await until(async () => {
        await page.goto(url);
        return (await page.getByRole('button', { name: 'Run again' }).count()) > 0;
      });
      await page.getByRole('button', { name: 'Run again' }).click();
      await page.waitForURL((address) => address.href !== url);

      expect(page.url()).not.toBe(url);
      expect(await page.locator('.banner .state').innerText()).toContain('running');
    },
    TIMEOUT,
  );
});

test.each(['talks', 'floods', 'fails', 'deaf'])(
  'on a phone the page of a run of %s does not scroll sideways',
  async (job) => {
    const { page } = await openRun(job, 1, { viewport: { width: 360, height: 740 } });

    expect(await sideways(page)).toBe(0);
  },
  TIMEOUT,
);
