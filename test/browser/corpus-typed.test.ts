import { expect, test } from 'vitest';
import { jobUrl, runUrl } from '../../views/urls.ts';
import type { JobContext } from '../../server/core/job.ts';
import { liveClock as clock } from '../live-clock.ts';
import { serve } from '../http/client.ts';
import { pastRuns, record } from '../http/history.ts';
import { action } from '../builders.ts';
import { byHand } from '../service.ts';
import { IN_ONE_FRAME } from './chromium.ts';
import { CORPUS, HARMLESS } from './corpus.ts';
import { watched } from './inspect.ts';
import { Planting } from './planted.ts';
import {
  batches,
  CLEAN,
  expectTexts,
  judge,
  lookAgain,
  noFindings,
  open,
  poll,
  send,
  visit,
  type Findings,
  type Visiting,
} from './visiting.ts';
import { NAMES } from './world.ts';
import { browser, useChromium } from './use-chromium.ts';

/** Whatever text somebody types: a page that refuses it shows it as nothing but text. */

useChromium(IN_ONE_FRAME);

/** A note has room for so many letters. */
const NOTE = { most: 480, longest: 480, written: Infinity };

/** What refuses them: the pause's form by script, and each form without. */
async function visitForms(visiting: Visiting): Promise<void> {
  const { planting, tab } = visiting;
  const path = jobUrl(NAMES.odd(0));
  for (const texts of batches(planting.all, NOTE)) {
    const typed = texts.join(' ');
    const [line = ''] = typed.split(/[\r\n]/, 1);
    const shown = async (where: string): Promise<void> => {
      const { text } = await lookAgain(visiting, where);
      expectTexts(visiting, { where, texts: [line], most: 490, text });
    };
    await open(visiting, path);
    tab.allow([path, `${path}/runs`, `${path}/pause`]);
    await send(visiting, '#change-pause form', { typed, how: 'script' });
    await shown('a pause');
    for (const form of ['#change-pause form', '#run-now form']) {
      await open(visiting, path);
      tab.allow([path, `${path}/runs`, `${path}/pause`]);
      const answered = tab.page.waitForEvent('load');
      await send(visiting, form, { typed, how: 'plain' });
      await answered;
      await shown(`${form} by itself`);
    }
  }
}

test('every text that a form is refused with is shown again as nothing but text', async () => {
  const of = async (all: readonly string[]): Promise<Findings> => {
    const findings = noFindings();
    await visit(browser, { planting: new Planting(all), numbers: [0], findings }, visitForms);
    return findings;
  };

  const [harmless, corpus] = [await of(HARMLESS), await of(CORPUS)];

  expect(judge(harmless, corpus)).toEqual(CLEAN);
}, 1_200_000);

/** Says all that it is given in every way that it has, and fails by it every other time. */
const parrot = byHand({
  name: 'parrot',
  description: 'says it again',
  run: async ({ input, log, progress, attempt }: JobContext) => {
    const { text, fails } = Object(input);
    log.warn(text, { [text]: text });
    progress(1, 2);
    if (fails) throw Object.assign(new Error(text), { name: text });
    return { [text]: [text, attempt] };
  },
});

async function clickThrough(all: readonly string[]): Promise<Findings> {
  const { url, service } = await serve([parrot], { clock });
  const tab = await watched(browser, url);
  const findings = noFindings();
  const nothing = (): void => undefined;
  const world = { url, service, numbers: [], speakOf: nothing, close: async () => undefined };
  const visiting = { planting: new Planting(all), findings, tab, world };
  // More than a list of them has room for, so that there is a way on, and much to be drawn.
  const actions = Array.from({ length: 60 }, (_, n) => action({ id: `before-${n}` }));
  const until = clock.wall() - 60_000;
  const runs = pastRuns('parrot', { count: 60, until, every: 3_600_000 });
  await record(service, 'parrot', { runs, actions });
  for (const [i, texts] of batches(all, NOTE).entries()) {
    await click(visiting, texts.join(' ').toWellFormed(), i % 2 === 0);
  }
  await tab.page.close();
  return findings;
}

/** Pauses and resumes the job, runs it twice, and looks at the lists of what was done. */
async function click(visiting: Visiting, text: string, fails: boolean): Promise<void> {
  const { page, allow } = visiting.tab;
  const shows = async (where: string, most: number): Promise<void> => {
    const seen = await lookAgain(visiting, where);
    const line = text.split(/[\r\n]/, 1);
    expectTexts(visiting, { where, texts: line, most, text: seen.text });
  };
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const path = '/jobs/parrot';
  await open(visiting, path);
  allow([path, `${path}/pause`, `${path}/resume`, `${path}/runs`]);
  await page.locator('#pause > summary').click();
  await page.locator('#pause-note').fill(text);
  await button('Pause it').click();
  await page.locator('#paused').waitFor();
  await shows('a pause', 480);
  await button('Resume: parrot').click();
  await page.locator('#paused').waitFor({ state: 'detached' });
  await page.locator('#run-now > summary').click();
  await page.locator('#in-json').fill(JSON.stringify({ text, fails }));
  await button('Start the run').click();
  await page.getByText('a run has started').waitFor();
  await visiting.world.service.idle();

  const { service } = visiting.world;
  const { id } = await service.lastRun();
  await open(visiting, runUrl(id));
  await shows('a run', 240);
  if (fails) {
    allow([runUrl(id, '/reruns'), '/runs/parrot*']);
    await button('Run again: parrot, same input').click();
    await page.waitForURL((url) => url.pathname !== runUrl(id));
    await service.idle();
    await poll(visiting);
    await shows('a run again', 240);
  }
  for (const where of ['/', '/timeline', '/actions', ...(fails ? ['/runs', path] : [])]) {
    await open(visiting, where);
    if (where !== '/' && where !== '/timeline') await shows(where, 20);
  }
}

test('every text that is typed, and what becomes of it, is shown as nothing but text', async () => {
  const harmless = await clickThrough(HARMLESS);
  const corpus = await clickThrough(CORPUS);

  expect(judge(harmless, corpus)).toEqual(CLEAN);
}, 1_200_000);
