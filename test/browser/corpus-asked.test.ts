import { expect, test } from 'vitest';
import { pathPart } from '../../views/html.ts';
import { jobUrl, runUrl, withQuery } from '../../views/urls.ts';
import type { AccessConfig } from '../../server/config-access.ts';
import { serve } from '../http/client.ts';
import { watched } from './inspect.ts';
import { IN_ONE_FRAME } from './chromium.ts';
import { CORPUS, HARMLESS } from './corpus.ts';
import { Planting } from './planted.ts';
import {
  batches,
  CLEAN,
  expectTexts,
  judge,
  noFindings,
  open,
  visit,
  type Findings,
  type Visiting,
} from './visiting.ts';
import { NAMES, RUNS } from './world.ts';
import { browser, useChromium } from './use-chromium.ts';

/** Whatever text stands in an address: the page that answers shows it as nothing but text. */

useChromium(IN_ONE_FRAME);

/** A page, and how much of each text that is asked of it is in sight. */
interface Asked {
  readonly path: (texts: Readonly<Record<string, string>>) => string;
  readonly texts: Readonly<Record<string, number>>;
  readonly statuses: readonly number[];
  /** Whether they stand there as they are, not as they are written in an address. */
  readonly plain?: false;
}

const query = (path: string, texts: Asked['texts']): Asked => ({
  path: (asked) => withQuery(path, asked),
  texts,
  statuses: [200],
});

const PAGES: readonly Asked[] = [
  query('/', { text: 95, tag: 40, state: 40 }),
  query('/timeline', { text: 95, tag: 95 }),
  query('/runs', { q: 480 }),
  query('/actions', { job: 300, by: 300 }),
  query('/schedule', { schedule: 300, timeZone: 200, name: 200 }),
  query(jobUrl(NAMES.plain(0)), { state: 90, trigger: 90, since: 90, until: 90, text: 90 }),
  query(runUrl(RUNS.over(0)), { text: 190 }),
  { path: ({ name = '' }) => jobUrl(name), texts: { name: 60 }, statuses: [200, 404] },
  {
    path: ({ what = '' }) => `/nowhere/${pathPart(what)}`,
    texts: { what: 300 },
    statuses: [404],
    plain: false,
  },
  {
    path: ({ name = '' }) => withQuery('/runs', { [name]: '1' }),
    texts: { name: 95 },
    statuses: [400],
  },
];

/** An address has room for no more: much of it is written as nine letters each. */
const ROOM = { longest: 120, written: 1200 };
const ADDRESS = { most: 300, ...ROOM };

async function visitAddresses(visiting: Visiting): Promise<void> {
  const { all } = visiting.planting;
  for (const { path, texts, statuses, plain } of PAGES) {
    const each = Object.entries(texts).map(([name, most]) => {
      return { name, most, batches: batches(all, { most, ...ROOM }) };
    });
    // As it is when nothing is asked for, too.
    if (statuses.includes(200)) await open(visiting, path({}), statuses);
    const loads = Math.max(...each.map((one) => one.batches.length));
    for (let i = 0; i < loads; i += 1) {
      const asked = each.map((one) => {
        return { ...one, batch: one.batches[i % one.batches.length] ?? [] };
      });
      const where = path(
        Object.fromEntries(asked.map(({ name, batch }) => [name, batch.join(' ')])),
      );
      const { text } = await open(visiting, where, statuses);
      for (const { most, batch } of plain === false ? [] : asked) {
        expectTexts(visiting, { where: where.slice(0, 20), texts: batch, most, text });
      }
    }
  }
}

const ofAll = async (visitor: (visiting: Visiting) => Promise<void>, all: readonly string[]) => {
  const findings = noFindings();
  await visit(browser, { planting: new Planting(all), numbers: [0], findings }, visitor);
  return findings;
};

test('every text in every part of an address is shown as nothing but text', async () => {
  const harmless = await ofAll(visitAddresses, HARMLESS);
  const corpus = await ofAll(visitAddresses, CORPUS);

  expect(judge(harmless, corpus)).toEqual(CLEAN);
}, 1_200_000);

/** Behind the mark of a fragment, which no server sees. */
async function visitFragments(visiting: Visiting): Promise<void> {
  for (const path of ['/schedule', '/runs', '/api/v1/docs']) {
    for (const text of visiting.planting.all) await open(visiting, `${path}#${text}`, [0, 200]);
  }
}

test('a text in the fragment of an address brings nothing about', async () => {
  const harmless = await ofAll(visitFragments, HARMLESS);
  const corpus = await ofAll(visitFragments, CORPUS);

  expect(judge(harmless, corpus)).toEqual(CLEAN);
}, 1_200_000);

const TOKENS: AccessConfig = {
  modes: ['tokens'],
  operators: [],
  viewers: [],
  iapAudience: null,
  triggersPerSecond: 0,
};

async function visitSignIn(all: readonly string[]): Promise<Findings> {
  const { url, service } = await serve([], { app: { access: TOKENS } });
  const findings = noFindings();
  const tab = await watched(browser, url);
  const world = {
    url,
    service,
    numbers: [],
    speakOf: () => undefined,
    close: async () => undefined,
  };
  const visiting = { planting: new Planting(all), world, tab, findings };
  // Where to go on to is written as addresses are, or it is not gone to.
  const written = all.filter((text) => /^[\x21-\x7e]+$/.test(text));
  for (const texts of batches(written, ADDRESS)) {
    const next = `/x${texts.join('/')}`;
    const { text } = await open(visiting, withQuery('/login', { next }));
    if (!text.includes(next)) findings.wrong.push(`/login does not keep ${next}`);
  }
  for (const texts of batches(all, ADDRESS)) {
    // In place of a page that is not to be seen yet, too.
    await open(visiting, withQuery('/runs', { q: texts.join(' ') }), [401]);
  }
  await tab.page.close();
  return findings;
}

test('a text in where to go on to, once signed in, is nothing but text', async () => {
  const [harmless, corpus] = [await visitSignIn(HARMLESS), await visitSignIn(CORPUS)];

  expect(judge(harmless, corpus)).toEqual(CLEAN);
}, 1_200_000);
