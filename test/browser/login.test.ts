import { expect, test } from 'vitest';
import { revokeToken } from '../../server/http/identity/token-list.ts';
import { openTo, tokenIn } from '../http/identity/callers.ts';
import { openPage } from './page.ts';
import { browser, useChromium } from './use-chromium.ts';

/** Signing in as a person does, with scripts and without. */

useChromium();

const opened = () => openTo('machine', { PUNCTUAL_AUTH: 'tokens' });

// A page that one may not see yet is answered by 401, of which the console tells.
const worse = (complaints: readonly string[]) =>
  complaints.filter((one) => !one.includes('status of 401'));

test.each([true, false])(
  'an operator signs in, starts a run and signs out (scripts: %s)',
  async (javaScriptEnabled) => {
    const { url, service } = await opened();
    const { text } = await tokenIn(service.store, { name: 'ada', role: 'operator' });
    const { page, complaints } = await openPage(browser, `${url}/jobs/other`, {
      javaScriptEnabled,
    });

    await page.getByLabel('Token').fill(`${text.slice(0, -1)}!`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    const refused = await page.getByRole('alert').innerText();
    await page.getByLabel('Token').fill(text);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(`${url}/jobs/other`);
    await page
      .getByRole('button', { name: /^Run now/ })
      .first()
      .click();
    await expect.poll(async () => (await service.runs('other')).length).toBe(1);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${url}/login`);
    await page.goto(url);

    expect(refused).toBe('That is no token of this service, or it was revoked.');
    expect((await service.runs('other')).map(({ requestedBy }) => requestedBy)).toEqual(['ada']);
    expect(await page.getByRole('heading', { name: 'Sign in' }).count()).toBe(1);
    expect(worse(complaints)).toEqual([]);
  },
  180_000,
);

test('somebody whose token was revoked is led back to where they sign in, by their next click', async () => {
  const { url, service } = await opened();
  const { text } = await tokenIn(service.store, { name: 'ada', role: 'operator' });
  const { page, complaints } = await openPage(browser, `${url}/jobs/other?state=failed`);
  await page.getByLabel('Token').fill(text);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(/state=failed/);

  await revokeToken(service.store, 'default', 'ada');
  await service.clock.advance(5000);
  await page
    .getByRole('button', { name: /^Run now/ })
    .first()
    .click();
  await page.waitForURL(/\/login\?next=/);

  expect(await page.locator('input[name=next]').getAttribute('value')).toBe(
    '/jobs/other?state=failed',
  );
  expect(await service.runs('other')).toEqual([]);
  expect(worse(complaints)).toEqual([]);
}, 180_000);

test('a viewer sees what there is, and nothing to press that would be refused', async () => {
  const { url, service } = await opened();
  const { text } = await tokenIn(service.store, { name: 'bob', role: 'viewer' });
  const { page, complaints } = await openPage(browser, `${url}/jobs/job`);
  await page.getByLabel('Token').fill(text);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${url}/jobs/job`);

  const buttons = await page.getByRole('button').allInnerTexts();
  const who = await page.locator('.visitor').innerText();

  expect(who).toMatch(/^bob \(viewer\)\s+Sign out$/);
  expect(buttons.filter((words) => /Run|Pause|Resume|Backfill|Cancel/.test(words))).toEqual([]);
  expect(await page.getByText('Pause…').count()).toBe(0);
  expect(worse(complaints)).toEqual([]);
}, 180_000);
