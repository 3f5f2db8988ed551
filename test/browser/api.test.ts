import { expect, test } from 'vitest';
import { job } from '../service.ts';
import { serve } from '../http/client.ts';
import { openPage, sideways } from './page.ts';
import { browser, useChromium } from './use-chromium.ts';

/** The page on the API, as whoever writes a program reads it. */

useChromium();

test('what a link leads to is opened and in sight', async () => {
  const { url } = await serve([job({})]);
  const { page, complaints } = await openPage(browser, `${url}/api/v1/docs`);
  const words = page.getByText('The run is on record before this is answered.');
  const before = await words.isVisible();

  await page.getByRole('link', { name: 'Starts a run', exact: true }).click();
  await words.waitFor();
  await page.getByRole('link', { name: '409 Busy' }).first().click();

  expect(before).toBe(false);
  expect(page.url()).toMatch(/#busy$/);
  expect(await page.locator('#busy').isVisible()).toBe(true);
  expect(complaints).toEqual([]);
});

test('with everything opened no phone scrolls it sideways', async () => {
  const { url } = await serve([job({})]);
  const view = { viewport: { width: 360, height: 740 } };
  const { page, complaints } = await openPage(browser, `${url}/api/v1/docs`, view);

  const opened = await page
    .locator('details')
    .evaluateAll((all) => all.map((one) => one.setAttribute('open', '')).length);

  expect(opened).toBeGreaterThan(35);
  expect(await sideways(page)).toBe(0);
  expect(complaints).toEqual([]);
});
