import { join } from 'node:path';
import { expect, test } from 'vitest';
import { demoService } from '../../scripts/demo.ts';
import { tempFolder } from '../process/server.ts';
import { openPage } from './page.ts';
import { browser, useChromium } from './use-chromium.ts';

useChromium();

test('what failed last night, and why, is three clicks from the front page, on a phone too', async () => {
  const demo = await demoService(join(tempFolder(), 'punctual.db'));
  try {
    const phone = { viewport: { width: 360, height: 740 } };
    const { page, complaints } = await openPage(browser, demo.url, phone);

    await page.getByRole('link', { name: /runs? went wrong/ }).click();
    const row = page.locator('tr', { hasText: 'nightly-report' });
    const inTheList = await row.innerText();
    await row.getByRole('link', { name: 'failed' }).click();
    await page.waitForURL(/\/runs\/nightly-report/);
    const banner = await page.locator('.banner').innerText();
    await page.goBack();
    const back = await page.locator('tr', { hasText: 'nightly-report' }).count();

    expect(inTheList).toContain('could not reach mail.example.com:587');
    expect(banner).toMatch(/^Error: could not reach mail\.example\.com:587/);
    expect(banner).toContain('It was tried 2 times');
    expect(back).toBe(1);
    expect(complaints).toEqual([]);
  } finally {
    await demo.stop();
  }
}, 120_000);
