/**
 * Takes pictures of the dashboard's pages for the documentation.
 *
 *   npm run screenshots
 *   npm run screenshots -- /tmp/pictures    puts them there, each page in both themes
 *
 * Starts a service of its own on a scratch database with a day of made-up history, and writes
 * docs/*.png: each page as wide as a desk's screen, in the light theme, and as a phone's, in the
 * dark one.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchChromium } from '../test/browser/chromium.ts';
import { demoService } from './demo.ts';

const SIZES = [
  { end: '', viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { end: '-phone', viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
] as const;

/** To be looked at, but not to be shown. */
const ASIDE = new Set(['job-paused', 'backfill', 'run-missed', 'runs-refused', 'api', 'not-found']);

const folder = await mkdtemp(join(tmpdir(), 'punctual-screenshots-'));
const demo = await demoService(join(folder, 'punctual.db'));
const browser = await launchChromium();
const [into = 'docs'] = process.argv.slice(2);
const themes = into === 'docs' ? [undefined] : (['light', 'dark'] as const);
try {
  const all = Object.entries(await demo.pages());
  const pages = all.filter(([name]) => into !== 'docs' || !ASIDE.has(name));
  for (const [name, path] of pages) {
    for (const { end, ...size } of SIZES) {
      for (const theme of themes) {
        const page = await browser.newPage({ ...size, colorScheme: theme ?? size.colorScheme });
        await page.goto(demo.url + path);
        await page.screenshot({ path: `${into}/${name}${end}${theme ? `-${theme}` : ''}.png` });
        await page.close();
      }
    }
    console.log(`${into}/${name}.png`);
  }
} finally {
  await browser.close();
  await demo.stop();
  await rm(folder, { recursive: true, force: true });
}
