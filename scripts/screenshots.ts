/**
 * Takes pictures of the dashboard's pages for the documentation.
 *
 *   npm run screenshots
 *
 * Starts a service of its own on a scratch database with made-up history, and writes
 * docs/*.png at 1280 and 360 px, in light and dark.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchChromium } from '../test/browser/chromium.ts';
import { demoService } from './demo.ts';

const folder = await mkdtemp(join(tmpdir(), 'punctual-screenshots-'));
const demo = await demoService(join(folder, 'punctual.db'));
const browser = await launchChromium();
try {
  const failed = await demo.newest('failed');
  const pages = [
    ['jobs', '/'],
    ['run', `/runs/${encodeURIComponent(failed)}`],
  ] as const;
  for (const [name, path] of pages) {
    for (const width of [1280, 360]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
        await page.goto(demo.url + path);
        const file = `docs/${name}-${width}-${colorScheme}.png`;
        await page.screenshot({ path: file });
        await page.close();
        console.log(file);
      }
    }
  }
} finally {
  await browser.close();
  await demo.stop();
  await rm(folder, { recursive: true, force: true });
}
