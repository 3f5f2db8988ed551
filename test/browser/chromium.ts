import sparticuz from '@sparticuz/chromium';
import { chromium, type Browser } from 'playwright-core';

/**
 * Headless Chromium from the npm package; nothing is installed on the machine. Its first use
 * unpacks it to the temporary folder, so two processes must not start the very first one together.
 *
 * The package's own `args` are left out on purpose: they turn web security off, and our pages' CSP
 * and same-origin rules are what tests look at.
 */
export async function launchChromium(): Promise<Browser> {
  sparticuz.setGraphicsMode = false;
  return await chromium.launch({
    executablePath: await sparticuz.executablePath(),
    // Containers often run as root, where Chromium refuses its sandbox.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
    headless: true,
  });
}
