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
    // There are two within 24 hours where clocks went forward between them.
    const rows = page.locator('tr', { hasText: 'nightly-report' });
    const row = rows.first();
    const inTheList = await row.innerText();
    const listed = await rows.count();
    await row.getByRole('link', { name: 'failed' }).click();
    await page.waitForURL(/\/runs\/nightly-report/);
    const banner = await page.locator('.banner').innerText();
    await page.goBack();
    const back = await rows.count();

    expect(inTheList).toContain('could not reach mail.example.com:587');
    expect(banner).toMatch(/^Error: could not reach mail\.example\.com:587/);
    expect(banner).toContain('It was tried 2 times');
    expect(back).toBe(listed);
    expect(complaints).toEqual([]);
  } finally {
    await demo.stop();
  }
}, 180_000);
