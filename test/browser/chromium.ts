import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sparticuz from '@sparticuz/chromium';
import { chromium, type Browser } from 'playwright-core';

/**
 * Headless Chromium from the npm package; nothing is installed on the machine.
 *
 * The package's own `args` are left out on purpose: they turn web security off, and our pages' CSP
 * and same-origin rules are what tests look at.
 */
export async function launchChromium(more: readonly string[] = []): Promise<Browser> {
  sparticuz.setGraphicsMode = false;
  return await chromium.launch({
    executablePath: await inTurn(() => sparticuz.executablePath()),
    // Containers often run as root, where Chromium refuses its sandbox.
    args: ['--no-sandbox', '--disable-dev-shm-usage', ...more],
    headless: true,
  });
}

/**
 * For whoever loads hundreds of pages of one site: all in one frame, not each in a frame of its own
 * that is made and taken down for it. Nothing that a page can tell is different.
 */
export const IN_ONE_FRAME = ['--enable-features=RenderDocument:level/subframe'];

const TURN_TRIES = 600;

/**
 * The first use unpacks Chromium to the temporary folder, and another process that came then would
 * find half of it: files of tests run at the same time. A lock left by one that was killed is taken
 * over after a minute.
 */
async function inTurn<Value>(unpack: () => Promise<Value>): Promise<Value> {
  const lock = join(tmpdir(), 'punctual-chromium.lock');
  for (let tried = 0; tried < TURN_TRIES && !isMade(lock); tried += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  try {
    return await unpack();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function isMade(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
