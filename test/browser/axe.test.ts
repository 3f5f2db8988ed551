import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { demoService } from '../../scripts/demo.ts';
import { openTo, tokenIn } from '../http/identity/callers.ts';
import { tempFolder } from '../process/server.ts';
import { openPage, sideways } from './page.ts';
import { browser, useChromium } from './use-chromium.ts';

/** Every page, as the pictures show them: what axe-core finds, and whether a phone can hold it. */

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

useChromium();

/** Such as `color-contrast: .none, .pager a`. */
async function violations(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: axe });
  return await page.evaluate(async () => {
    const tool: { run(): Promise<AxeResults> } = Reflect.get(globalThis, 'axe');
    const { violations: found } = await tool.run();
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(', ')}`);
  });
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly target: readonly string[] }[];
  }[];
}

const WIDTHS = [1280, 360] as const;
const THEMES = ['light', 'dark'] as const;

describe('every page', () => {
  test('is free of what axe-core finds, in both themes, and no phone scrolls it sideways', async () => {
    const demo = await demoService(join(tempFolder(), 'punctual.db'));
    const pages = Object.entries(await demo.pages());
    const found: Record<string, unknown> = {};
    const wide: string[] = [];
    try {
      for (const width of WIDTHS) {
        // Scripts of tests are no part of the page, so its policy does not let them in.
        const view = { viewport: { width, height: 800 }, bypassCSP: true };
        const { page } = await openPage(browser, demo.url, view);
        for (const [name, path] of pages) {
          await page.goto(demo.url + path);
          for (const colorScheme of THEMES) {
            await page.emulateMedia({ colorScheme });
            const what = await violations(page);
            if (what.length > 0) found[`${name}, ${width} px, ${colorScheme}`] = what;
          }
          if ((await sideways(page)) > 0) wide.push(`${name}, ${width} px`);
        }
      }
    } finally {
      await demo.stop();
    }

    expect(found).toEqual({});
    expect(wide).toEqual([]);
  }, 1_200_000);

  test('so is the one where one signs in, and whoever did, under however long a name', async () => {
    const { url, service } = await openTo('machine', { PUNCTUAL_AUTH: 'tokens' });
    const name = `${'somebody.'.repeat(6)}@example.com`;
    const { session } = await tokenIn(service.store, { name, role: 'viewer' });
    const found: Record<string, unknown> = {};
    for (const width of WIDTHS) {
      const view = { viewport: { width, height: 800 }, bypassCSP: true };
      const { page } = await openPage(browser, `${url}/login`, view);
      await page.context().addCookies([{ name: 'punctual-session', value: session, url }]);
      for (const path of ['/login', '/jobs/job']) {
        await page.goto(url + path);
        for (const colorScheme of THEMES) {
          await page.emulateMedia({ colorScheme });
          const what = await violations(page);
          const wide = await sideways(page);
          if (what.length + wide > 0) found[`${path}, ${width} px, ${colorScheme}`] = [what, wide];
        }
      }
      const [who, out] = [page.locator('.visitor > span'), page.locator('.visitor button')];
      const [left, right] = [await who.boundingBox(), await out.boundingBox()];
      found[`in a row, ${width} px`] = (left?.x ?? 0) + (left?.width ?? 0) < (right?.x ?? 0);
    }

    expect(found).toEqual({ 'in a row, 1280 px': true, 'in a row, 360 px': true });
  }, 180_000);
});
