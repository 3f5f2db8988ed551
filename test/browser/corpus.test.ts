import { expect, test } from 'vitest';
import { jobUrl, runUrl } from '../../views/urls.ts';
import { IN_ONE_FRAME } from './chromium.ts';
import { CORPUS, HARMLESS } from './corpus.ts';
import type { PageName } from './fields.ts';
import type { Seen } from './inspect.ts';
import { Planting } from './planted.ts';
import {
  CLEAN,
  expectShown,
  expectTexts,
  judge,
  lookAgain,
  noFindings,
  open,
  openList,
  poll,
  send,
  touch,
  visit,
  visitAll,
  type Findings,
  type Visiting,
} from './visiting.ts';
import { NAMES, RUNS } from './world.ts';
import { browser, useChromium } from './use-chromium.ts';

/**
 * Whatever text is on record, in whatever field: each page shows it, obeys nothing in it, and has
 * no element and no attribute that it has not for harmless words.
 */

useChromium(IN_ONE_FRAME);

const plantings = { harmless: new Planting(HARMLESS), corpus: new Planting(CORPUS) };

test('every text of every record is shown on every page as nothing but text', async () => {
  const harmless = await visitAll(browser, plantings.harmless, visitRecords);
  const corpus = await visitAll(browser, plantings.corpus, visitRecords);

  expect(judge(harmless, corpus)).toEqual(CLEAN);
}, 1_200_000);

const LISTS = ['jobs', 'runs', 'actions', 'timeline', 'system'] as const;
/** What a page does in time, and when it is touched, it does in the same way each time. */
const SELDOM = 60;

async function visitRecords(visiting: Visiting): Promise<void> {
  const { world } = visiting;
  for (const name of LISTS) {
    const path = name === 'jobs' ? '/' : `/${name}`;
    const text = await openList(visiting, path);
    for (const k of world.numbers) expectShown(visiting, { page: name, k, text });
    if (world.numbers.every((k) => k % SELDOM !== 0)) continue;
    await open(visiting, path);
    await poll(visiting);
    await touch(visiting);
  }
  for (const k of world.numbers) {
    world.speakOf(k);
    await visitNumber(visiting, k);
  }
}

async function visitNumber(visiting: Visiting, k: number): Promise<void> {
  const { planting, tab } = visiting;
  const shows = (page: PageName, { text }: Seen): void => expectShown(visiting, { page, k, text });
  const job = jobUrl(NAMES.odd(k));
  shows('backfill', await open(visiting, jobUrl(NAMES.plain(k), '/backfill')));
  shows('run', await open(visiting, runUrl(RUNS.live(k))));
  shows('job', await open(visiting, job));
  const typed = planting.all[k] ?? '';
  tab.allow([job, `${job}/runs`]);
  await send(visiting, '#run-now form', { typed, how: 'script' });
  const where = `${job} refused`;
  const refused = await lookAgain(visiting, where);
  shows('refused', refused);
  // What stands in one line loses its ends of lines in the browser.
  const texts = typed.split(/[\r\n]/, 1);
  expectTexts(visiting, { where, texts, most: 490, text: refused.text });
  if (k % SELDOM !== 0) return;
  for (const path of [job, runUrl(RUNS.live(k)), runUrl(RUNS.over(k))]) {
    await open(visiting, path);
    await poll(visiting);
  }
}

test('every text that a process says of itself is shown as nothing but text', async () => {
  const of = async (planting: Planting): Promise<Findings> => {
    const findings = noFindings();
    const numbers = planting.all.keys();
    const visitor = async (visiting: Visiting): Promise<void> => {
      for (const k of numbers) {
        visiting.world.speakOf(k);
        const { text } = await open(visiting, '/system');
        expectShown(visiting, { page: 'process', k, text });
      }
    };
    // Two of them share the numbers: one would leave the browser idle while the server works.
    const go = () => visit(browser, { planting, numbers: [], findings }, visitor);
    await Promise.all([go(), go()]);
    return findings;
  };

  const [harmless, corpus] = [await of(plantings.harmless), await of(plantings.corpus)];

  expect(judge(harmless, corpus)).toEqual(CLEAN);
}, 1_200_000);
