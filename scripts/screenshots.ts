/**
 * Takes pictures of the dashboard's pages for the documentation.
 *
 *   npm run screenshots
 *
 * Starts a service of its own on a scratch database with made-up history, and writes
 * docs/*.png, some in the light theme and some in the dark one.
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
  const run = `/runs/${encodeURIComponent(failed)}`;
  const shots = [
    { name: 'jobs', path: '/', width: 1280, colorScheme: 'light' },
    { name: 'jobs-phone', path: '/', width: 360, colorScheme: 'dark' },
    { name: 'run', path: run, width: 1280, colorScheme: 'dark' },
  ] as const;
  for (const { name, path, width, colorScheme } of shots) {
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
    await page.goto(demo.url + path);
    await page.screenshot({ path: `docs/${name}.png` });
    await page.close();
    console.log(`docs/${name}.png`);
  }
} finally {
  await browser.close();
  await demo.stop();
  await rm(folder, { recursive: true, force: true });
}
