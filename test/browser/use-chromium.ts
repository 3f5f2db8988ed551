import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { launchChromium } from './chromium.ts';

/** The one that the tests of a file share, from their first to their last. */
export let browser: Browser;

/** Opens it before the tests of the file that calls this, and closes it after them. */
export function useChromium(args: readonly string[] = []): void {
  beforeAll(async () => {
    browser = await launchChromium(args);
  }, 120_000);
  afterAll(() => browser.close());
}
