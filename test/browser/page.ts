import type { Browser, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { until as holds } from '../process/server.ts';

/** Waits as long as Playwright does: polls come seldom, and a busy machine is slow to show them. */
export const until = <Value>(
  look: () => Promise<Value | undefined | false>,
  withinMs = 30_000,
): Promise<Value> => holds(look, withinMs);

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

const MOST_BACK = 20;

/** Goes back until the address is right: a stall between two keys makes one address more. */
export async function goBackTo(page: Page, isRight: (address: URL) => boolean): Promise<void> {
  for (let n = 0; n < MOST_BACK; n += 1) {
    await page.goBack();
    if (isRight(new URL(page.url()))) return;
  }
  throw new Error(`${page.url()} is as far back as it goes`);
}
