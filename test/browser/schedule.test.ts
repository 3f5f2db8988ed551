import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { startServer, tempFolder } from '../process/server.ts';
import { openPage, sideways } from './page.ts';
import { browser, useChromium } from './use-chromium.ts';

useChromium();

const TIMEOUT = 180_000;

async function openSchedule(
  query: Record<string, string> = {},
  options: Parameters<Browser['newPage']>[0] = {},
) {
  const server = await startServer({ PUNCTUAL_DB: join(tempFolder(), 'punctual.db') });
  const address = `${server.url}/schedule?${new URLSearchParams(query).toString()}`;
  const opened = await openPage(browser, address, options);
  // It stays as long as the page is not loaded anew.
  const mark = () => opened.page.evaluate(() => Reflect.set(globalThis, 'loadedOnce', true));
  if (options.javaScriptEnabled !== false) await mark();
  return { ...opened, server };
}

const scheduleField = (page: Page) => page.getByLabel('Schedule', { exact: true });
const zoneField = (page: Page) => page.getByLabel('Time zone');
const preview = (page: Page) => page.locator('#preview');
const isLoadedOnce = (page: Page): Promise<unknown> =>
  page.evaluate(() => Reflect.get(globalThis, 'loadedOnce'));

/** Types as a person does, over what is there. */
async function type(field: ReturnType<typeof scheduleField>, text: string): Promise<void> {
  await field.selectText();
  await field.press('Delete');
  await field.pressSequentially(text);
}

const shows = (page: Page, text: string | RegExp): Promise<void> =>
  preview(page).getByText(text).first().waitFor();

const NEW_YORK = { schedule: '30 2 * * *', timeZone: 'America/New_York' };

describe('typing a schedule', () => {
  test(
    'shows the sentence, the next ten occurrences and what clock changes do',
    async () => {
      const { page, complaints } = await openSchedule();

      await type(scheduleField(page), '30 2 * * *');
      await type(zoneField(page), 'America/New_York');
      await shows(page, /^\d+ March \d{4}: 02:30 does not exist, runs 03:00$/);

      expect(await preview(page).locator('.words').innerText()).toBe('At 02:30');
      expect(await preview(page).locator('tbody tr').count()).toBe(10);
      expect(await preview(page).locator('tbody tr').first().innerText()).toMatch(
        /\w{3} \d+ \w+ \d{4}, 0[23]:[03]0/,
      );
      expect(await preview(page).locator('.warning').count()).toBe(1);
      expect(await isLoadedOnce(page)).toBe(true);
      expect(complaints).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    'changes the preview with each change, and the field stays as it is',
    async () => {
      const { page } = await openSchedule(NEW_YORK);

      await type(scheduleField(page), '0 9 * * 1-5');
      await shows(page, 'At 09:00, Monday through Friday');
      await scheduleField(page).pressSequentially('; 0 12 * * 6');
      await shows(page, 'At 09:00, Monday through Friday; at 12:00, only on Saturday');
      await type(zoneField(page), 'Asia/Tokyo');
      await shows(page, 'in Asia/Tokyo');

      expect(await scheduleField(page).inputValue()).toBe('0 9 * * 1-5; 0 12 * * 6');
      expect(await zoneField(page).evaluate((field) => field.matches(':focus'))).toBe(true);
      expect(await preview(page).getByText('does not exist').count()).toBe(0);
      expect(await isLoadedOnce(page)).toBe(true);
    },
    TIMEOUT,
  );

  test(
    'keeps the address in step, so that it can be sent to somebody',
    async () => {
      const { page } = await openSchedule();

      await type(scheduleField(page), '*/5 8-17 * * *');
      await shows(page, 'Every 5 minutes, between 08:00 and 17:59');
      await page.waitForURL(
        ({ searchParams }) => searchParams.get('schedule') === '*/5 8-17 * * *',
      );
      const address = page.url();
      await page.goto('about:blank');
      await page.goto(address);

      expect(await scheduleField(page).inputValue()).toBe('*/5 8-17 * * *');
      expect(await preview(page).locator('.words').innerText()).toBe(
        'Every 5 minutes, between 08:00 and 17:59',
      );
    },
    TIMEOUT,
  );

  test(
    'tells why a field is refused, and takes it back when it is put right',
    async () => {
      const { page, complaints } = await openSchedule();

      await type(scheduleField(page), '61 2 * * *');
      await shows(page, 'minute 61 is outside 0–59');
      const refused = await preview(page).locator('table').count();
      await type(scheduleField(page), '59 2 * * *');
      await shows(page, 'At 02:59');
      await type(zoneField(page), 'Mars/Olympus');
      await shows(page, 'time zone "Mars/Olympus" is not an IANA name, such as "Europe/London"');

      expect(refused).toBe(0);
      expect(await preview(page).locator('.words').count()).toBe(0);
      expect(complaints).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    'and the Enter key leave the page where it is',
    async () => {
      const { page } = await openSchedule();

      await type(scheduleField(page), '@daily');
      await scheduleField(page).press('Enter');
      await shows(page, 'At 00:00');

      expect(await isLoadedOnce(page)).toBe(true);
      expect(await scheduleField(page).inputValue()).toBe('@daily');
    },
    TIMEOUT,
  );

  test(
    'of markup shows it as the text that it is',
    async () => {
      const { page, complaints } = await openSchedule();
      const dialogs: string[] = [];
      page.on('dialog', (dialog) => {
        dialogs.push(dialog.message());
        void dialog.dismiss();
      });
      const nasty = '"><img src=x onerror=alert(1)>';

      await scheduleField(page).fill('@daily');
      await zoneField(page).fill(nasty);
      await shows(page, `time zone "${nasty}" is not an IANA name`);

      expect(await page.locator('img').count()).toBe(0);
      expect([dialogs, complaints]).toEqual([[], []]);
    },
    TIMEOUT,
  );
});

describe('without JavaScript', () => {
  test(
    'the address alone shows the schedule, and the form asks for another',
    async () => {
      const { page } = await openSchedule(NEW_YORK, { javaScriptEnabled: false });

      const first = await preview(page).innerText();
      await scheduleField(page).fill('61 2 * * *');
      await scheduleField(page).press('Enter');
      await shows(page, 'minute 61 is outside 0–59');

      expect(first).toMatch(/02:30 does not exist, runs 03:00/);
      expect(first).toContain('At 02:30');
      expect(await zoneField(page).inputValue()).toBe('America/New_York');
    },
    TIMEOUT,
  );
});

describe('on a phone', () => {
  test.each([
    ['examples', {}],
    ['a warning', NEW_YORK],
    [
      'a long list of times',
      { schedule: '*/7,*/11 * * * *', timeZone: 'America/Argentina/ComodRivadavia' },
    ],
    [
      'many rules',
      { schedule: Array.from({ length: 20 }, (_, i) => `${i} ${i} * * *`).join('; ') },
    ],
    ['a refusal', { schedule: 'x'.repeat(60), timeZone: 'Very/'.repeat(12) }],
    ['a refusal of many fields', { schedule: `${'1,'.repeat(200)} 61 * * *` }],
  ])(
    'the page does not scroll sideways with %s',
    async (_what, query) => {
      const { page } = await openSchedule(query, { viewport: { width: 360, height: 740 } });

      const found = await sideways(page);

      expect(found).toBe(0);
    },
    TIMEOUT,
  );
});
