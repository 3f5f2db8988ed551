import type { Browser, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

/** A page, with everything that its console complained about. */
export async function openPage(
  browser: Browser,
  url: string,
  options: Parameters<Browser['newPage']>[0] = {},
): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const page = await browser.newPage(options);
  onTestFinished(() => page.close());
  const complaints: string[] = [];
  page.on('console', (line) => {
    const favicon = line.location().url.endsWith('/favicon.ico');
    if (line.type() === 'error' && !favicon) complaints.push(line.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  return { page, complaints };
}

/** By how many pixels a page is wider than its window. */
export const sideways = (page: Page): Promise<number> =>
  page.locator('html').evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
