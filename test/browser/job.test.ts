import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { fixture, startServer, tempFolder } from '../process/server.ts';
import { goBackTo, openPage, sideways, until } from './page.ts';
import { browser, useChromium } from './use-chromium.ts';

useChromium();

const TIMEOUT = 180_000;

const serve = () =>
  startServer({
    PUNCTUAL_DB: join(tempFolder(), 'punctual.db'),
    PUNCTUAL_JOBS: fixture('job-page.ts'),
    PUNCTUAL_LEASE_MS: '9000',
  });

async function openJob(path: string, options: Parameters<Browser['newPage']>[0] = {}) {
  const server = await serve();
  return { ...(await openPage(browser, server.url + path, options)), server };
}

const summary = (page: Page, name: string) => page.locator(`#${name} > summary`);
const field = (page: Page, name: string) => page.locator(`#run-now [name="input.${name}"]`);
const rows = (page: Page) => page.locator('#history tr[data-row]');

/** Until the page has asked for itself again so many times. */
async function polls(page: Page, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    await page.waitForResponse((answer) => answer.request().headers()['hx-request'] === 'true');
  }
}

describe('the form of a run', () => {
  test(
    'keeps what was typed, says what is wrong, and starts the run once it is right',
    async () => {
      const { page, complaints, server } = await openJob('/jobs/greet');

      await summary(page, 'run-now').click();
      await field(page, 'names').fill('Grace\nX');
      await field(page, 'times').fill('12');
      await polls(page, 2);
      const kept = await field(page, 'names').inputValue();
      await page.getByRole('button', { name: 'Start the run' }).click();
      await page.getByText('item 2: too short').waitFor();
      const refused = [await field(page, 'names').inputValue(), await focused(page)];
      await field(page, 'names').fill('Grace');
      await field(page, 'times').fill('2');
      await page.getByRole('button', { name: 'Start the run' }).click();
      await page.getByText('greet: a run has started.').waitFor();
      await rows(page).getByText('succeeded').waitFor();

      const [listed] = await server.runs('greet');
      const run = await server.run(listed?.id ?? '');
      expect(kept).toBe('Grace\nX');
      expect(refused).toEqual(['Grace\nX', 'input.names']);
      expect(run.output).toEqual({ names: ['Grace'], times: 2, loud: false });
      expect(await page.locator('#run-now').getAttribute('open')).toBeNull();
      // A refusal is no fault of the page.
      expect(complaints.filter((line) => !line.includes('422'))).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    'is filled in from an earlier run, and each of two starts is a run of its own',
    async () => {
      const { page, server } = await openJob('/jobs/greet');
      await summary(page, 'run-now').click();
      await field(page, 'names').fill('Grace');
      await page.getByRole('button', { name: 'Start the run' }).click();
      // A poll may show the run before the click's answer comes, which folds the form away.
      await page.getByText('greet: a run has started.').waitFor();
      await rows(page).first().waitFor();

      await summary(page, 'run-now').click();
      await page.locator('#run-now .earlier a').first().click();
      await page.waitForURL(/\?from=/);
      const filled = await field(page, 'names').inputValue();
      await page.getByRole('button', { name: 'Start the run' }).click();
      await page.getByText('a run has started').waitFor();
      await summary(page, 'run-now').click();
      await page.getByRole('button', { name: 'Start the run' }).click();
      await until(async () => (await server.runs('greet')).length === 3);

      expect(filled).toBe('Grace');
    },
    TIMEOUT,
  );

  test(
    'can start a run beside the one that goes on',
    async () => {
      const { page, server } = await openJob('/jobs/slow');

      await summary(page, 'run-now').click();
      const before = await page.getByLabel(/^Start it beside/).isVisible();
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Run now: slow' }).click();
      await page.getByText('slow: a run has started.').waitFor();
      await summary(page, 'run-now').click();
      await page.getByLabel(/^Start it beside/).check();
      await page.getByRole('button', { name: 'Start the run' }).click();
      await page.getByText('and 1 more run unfinished').waitFor();

      expect(before).toBe(false);
      expect(await server.runs('slow')).toHaveLength(2);
    },
    TIMEOUT,
  );

  test(
    'folds away by Escape and by a click beside it',
    async () => {
      const { page } = await openJob('/jobs/greet');
      const open = () => page.locator('details.fold[open]').count();

      await summary(page, 'run-now').click();
      const first = await open();
      await page.keyboard.press('Escape');
      const second = await open();
      await summary(page, 'run-now').click();
      await summary(page, 'pause').click();
      const third = await open();
      await page.locator('#schedule h2').click();

      expect([first, second, third, await open()]).toEqual([1, 0, 1, 0]);
    },
    TIMEOUT,
  );
});

const focused = (page: Page): Promise<string | null | undefined> =>
  page.evaluate(() => document.activeElement?.getAttribute('name'));

describe('a pause', () => {
  test(
    'is told with its note and its end, changed, and taken back',
    async () => {
      const { page, complaints } = await openJob('/jobs/often');

      await summary(page, 'pause').click();
      await page.getByLabel('Why, for whoever sees it').fill('the disk is full');
      await page.getByLabel('8 hours').check();
      await page.getByRole('button', { name: 'Pause it' }).click();
      await page.locator('#paused').waitFor();
      const told = await page.locator('#paused').innerText();
      await summary(page, 'change-pause').click();
      const note = await page.getByLabel('Why, for whoever sees it').inputValue();
      await page.locator('#pause-until').fill('2099-01-01T00:00');
      const chosen = await page.getByLabel('until, in UTC:').isChecked();
      await page.getByRole('button', { name: 'Change it' }).click();
      await page.locator('#paused').getByText('2099-01-01 00:00:00 UTC').waitFor();
      await page.getByRole('button', { name: 'Resume: often' }).click();
      await page.locator('#paused').waitFor({ state: 'detached' });

      expect(told).toMatch(/^Paused .*, until .* in 8 hours\.\s+the disk is full$/);
      expect([note, chosen]).toEqual(['the disk is full', true]);
      expect(await summary(page, 'pause').count()).toBe(1);
      expect(complaints).toEqual([]);
    },
    TIMEOUT,
  );
});

describe('the history', () => {
  test(
    'is narrowed down while one types, by address, and the back button undoes it',
    async () => {
      const server = await serve();
      for (const times of [1, 9, 2]) {
        const input = JSON.stringify({ input: { times } });
        const headers = { 'Content-Type': 'application/json', Prefer: 'wait=5' };
        await server.json('/api/v1/jobs/greet/runs', { method: 'POST', headers, body: input });
      }
      const { page, complaints } = await openPage(browser, `${server.url}/jobs/greet`);

      const all = await rows(page).count();
      await page.locator('#state').selectOption('problem');
      await page.waitForURL(/\/jobs\/greet\?state=problem$/);
      await until(async () => (await rows(page).count()) === 1);
      await polls(page, 2);
      const still = await rows(page).count();
      await page.keyboard.press('/');
      await page.keyboard.type('nothing like it');
      await page.getByText('No runs like this.').waitFor();
      await goBackTo(page, ({ search }) => search === '?state=problem');
      await goBackTo(page, ({ search }) => search === '');
      await until(async () => (await rows(page).count()) === 3);

      expect([all, still]).toEqual([3, 1]);
      expect(new URL(page.url()).search).toBe('');
      expect(complaints).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    'and the chart lead to each run',
    async () => {
      const server = await serve();
      await server.trigger('greet', 5);
      const { page } = await openPage(browser, `${server.url}/jobs/greet`);

      await page.locator('.plot a').first().click();
      await page.waitForURL(/\/runs\/greet/);

      expect(await page.title()).toContain('succeeded');
    },
    TIMEOUT,
  );
});

test(
  'the schedule has a column in the zone of whoever looks',
  async () => {
    const { page } = await openJob('/jobs/greet', { timezoneId: 'Asia/Tokyo' });

    const table = page.locator('.occurrences');

    expect(await table.locator('thead').innerText()).toMatch(/New_York\s+UTC\s+Asia\/Tokyo/);
    expect(await table.locator('tbody tr').first().innerText()).toMatch(
      /(\w{3}) 1 Jan \d{4}, 02:30\s+\d{4}-01-01 07:30:00\s+\1,? 1 Jan\w* \d{4},?.* 16:30/,
    );
  },
  TIMEOUT,
);

describe('without JavaScript', () => {
  const bare = { javaScriptEnabled: false };

  test(
    'the page can be read, and has no column that only scripts could fill',
    async () => {
      const { page } = await openJob('/jobs/greet', bare);

      const head = await page.locator('.occurrences thead').innerText();

      expect(head.trim()).toMatch(/New_York\s+UTC$/);
      expect(await page.locator('body').innerText()).toContain('Says hello');
    },
    TIMEOUT,
  );

  test(
    'a run is started from its form, which comes back where something is wrong',
    async () => {
      const { page, server } = await openJob('/jobs/greet', bare);

      await summary(page, 'run-now').click();
      await field(page, 'times').fill('12');
      await page.getByRole('button', { name: 'Start the run' }).click();
      await page.waitForLoadState();
      const refused = await page.locator('#run-now').innerText();
      await field(page, 'times').fill('3');
      await page.getByRole('button', { name: 'Start the run' }).click();
      await page.waitForURL(/\/runs\//);

      expect(refused).toContain('at most 9');
      expect(await server.runs('greet')).toHaveLength(1);
    },
    TIMEOUT,
  );

  test(
    'a backfill is chosen, looked at and started',
    async () => {
      const { page, server } = await openJob('/jobs/often', bare);
      // Both ends as seen from one instant: a minute may pass between the fields.
      const now = Date.now();
      const minute = (back: number): string =>
        new Date(now - back * 60_000).toISOString().slice(0, 16);

      await page.getByRole('link', { name: 'Backfill…' }).click();
      await page.getByLabel('From, in UTC').fill(minute(12));
      await page.getByLabel('To, in UTC').fill(minute(10));
      await page.getByRole('button', { name: 'Show what it opens' }).click();
      await page.waitForLoadState();
      const listed = await page.locator('#preview tbody tr').count();
      await page.getByRole('button', { name: 'Start 3 runs' }).click();
      await page.waitForURL(/\/jobs\/often$/);
      const opened = () => server.runs('often');
      await until(async () => (await opened()).length >= 3);

      expect(listed).toBe(3);
    },
    TIMEOUT,
  );

  test(
    'a pause is begun and ended',
    async () => {
      const { page } = await openJob('/jobs/often', bare);

      await summary(page, 'pause').click();
      await page.getByRole('button', { name: 'Pause it' }).click();
      const told = await page.locator('#paused').innerText();
      await page.getByRole('button', { name: 'Resume: often' }).click();
      await summary(page, 'pause').waitFor();

      expect(told).toContain('until somebody resumes it');
      expect(await page.locator('#paused').count()).toBe(0);
    },
    TIMEOUT,
  );
});

test(
  'a phone shows the page and its forms without scrolling sideways',
  async () => {
    const { page, server } = await openJob('/jobs/greet', {
      viewport: { width: 360, height: 740 },
    });
    const found = [await sideways(page)];

    for (const name of ['run-now', 'pause']) {
      await summary(page, name).click();
      found.push(await sideways(page));
    }
    await page.goto(`${server.url}/jobs/often/backfill?from=2026-01-01T00:00&to=2026-01-01T01:00`);
    found.push(await sideways(page));

    expect(found).toEqual([0, 0, 0, 0]);
  },
  TIMEOUT,
);
