import { describe, expect, onTestFinished, test } from 'vitest';
import { jobUrl, runUrl } from '../../views/urls.ts';
import { CORPUS } from '../browser/corpus.ts';
import { textsIn } from '../browser/fields.ts';
import { Planting, tableOf, type TableName } from '../browser/planted.ts';
import { NAMES, openWorld, RUNS, type World } from '../browser/world.ts';

/** Whatever text is on record, in whatever field: it is kept as it was, and answers stay answers. */

const planting = new Planting(CORPUS);
const EACH = 20;
const starts = Array.from({ length: Math.ceil(CORPUS.length / EACH) }, (_, i) => i * EACH);
const worldFrom = (from: number): Promise<World> => open(planting, from);

async function open(of: Planting, from: number): Promise<World> {
  const { length } = of.all;
  const numbers = Array.from({ length: Math.min(EACH, length - from) }, (_, i) => from + i);
  const world = await openWorld(of, numbers);
  onTestFinished(() => world.close());
  return world;
}

/** A record of one kind, and the texts in it that are words of ours, each one of a few. */
interface Kept {
  readonly table: TableName;
  readonly record: unknown;
  readonly words: readonly string[];
}

const STATES = ['failed', 'running', 'retry_wait', 'cancelled', 'skipped', 'overlap'];
const WORDS: Readonly<Partial<Record<TableName, readonly string[]>>> = {
  RUN: [...STATES, 'manual'],
  JOB_RECORD: ['skip', 'latest', 'fail', 'manual', 'schedule', 'cancelled', 'failed'],
  LOG_CHUNK: ['warn'],
};

/** One of each kind, with all that it can have, as the store gives it back. */
async function kept({ service: { store } }: World, k: number): Promise<Kept[]> {
  const name = planting.text('JOB_RECORD', 'name', k);
  const spec = planting.text('SPEC', 'job', k);
  const run = await store.getRun(planting.text('RUN', 'id', k));
  const chunk = await store.readLog(planting.text('LOG_CHUNK', 'runId', k), 0, 1);
  const { actions } = await store.listActions({ limit: 500 });
  const action = actions.find(({ id }) => id === planting.text('ACTION', 'id', k));
  const { record } = await store.read(name);
  // Its right to work is that of a run with a page.
  const own = { ...record, active: {} };
  const specs = await store.listSpecs(spec);
  const all = { RUN: run, JOB_RECORD: own, LOG_CHUNK: chunk[0], ACTION: action, SPEC: specs[0] };
  return (Object.keys(all) as (keyof typeof all)[]).map((table) => ({
    table,
    record: all[table],
    words: WORDS[table] ?? [],
  }));
}

describe('any text', () => {
  test('is kept as it was in every field of every record', async () => {
    for (const from of starts) {
      const world = await worldFrom(from);
      for (const k of world.numbers) {
        for (const { table, record, words } of await kept(world, k)) {
          const fields = Object.keys(tableOf(table)).filter((path) => !path.startsWith('active.'));
          const found = textsIn(record, tableOf(table)).filter(([, text]) => !words.includes(text));
          const expected = planting.of(table, k);

          // A field that no text was planted in would be one that no test looks at.
          expect([table, [...new Set(found.map(([path]) => path))].toSorted()]).toEqual([
            table,
            fields.toSorted(),
          ]);
          for (const [path, text] of found) {
            expect([k, table, path, text]).toEqual([k, table, path, expected(path)]);
          }
        }
      }
    }
  }, 120_000);

  test('is no reason for the API not to answer', async () => {
    const failed: unknown[] = [];
    for (const from of starts) {
      const { url, numbers, speakOf } = await worldFrom(from);
      const ask = async (path: string): Promise<void> => {
        const answer = await fetch(`${url}/api/v1${path}`);
        const text = await answer.text();
        const type = answer.headers.get('content-type') ?? '';
        if (answer.status !== 200 || !type.startsWith('application/json')) {
          failed.push([path, answer.status, text.slice(0, 200)]);
        } else JSON.parse(text);
      };
      for (const path of ['/jobs', '/runs?limit=500', '/actions?limit=500', '/upcoming']) {
        await ask(path);
      }
      for (const k of numbers) {
        speakOf(k);
        const run = `/runs/${encodeURIComponent(RUNS.live(k))}`;
        const paths = ['/system', `/jobs/${NAMES.odd(k)}`, `/jobs/${NAMES.plain(k)}/backfills`];
        for (const path of [...paths, run, `${run}/log?format=json`]) await ask(path);
      }
    }

    expect(failed).toEqual([]);
  }, 120_000);
});

/** Texts that people, handlers and processes bring; all others are made here, and short. */
const FREE: Readonly<Partial<Record<TableName, RegExp>>> = {
  RUN: /error|owner|input|put$|notes|requestedBy|build/,
  JOB_RECORD: /schedule$|build|by$|note$|owner/,
  LOG_CHUNK: /^lines/,
  ACTION: /by|detail|before|after/,
  LOADED: /./,
  INSTANCE: /./,
  BUILD: /./,
  SELF_AUDIT: /./,
  JOB: /description/,
  SCHEMA: /./,
  PROCESS: /^(?!namespace)/,
  PLACE: /./,
};

class WorstPlanting extends Planting {
  override text(table: TableName, path: string, k: number): string {
    const isFree = FREE[table]?.test(path) === true;
    return isFree ? super.text(table, path, k) : `of-${k}`;
  }
}

const MOST = 990;
const WORST = ['"', '\u202e', '<>', '\u{1f680}', '\u65e5', '\u{e0100}', `a${'\u0301'.repeat(9)}`];

test('every page stays small, whatever fills the fields that anybody can fill', async () => {
  const worst = new WorstPlanting(
    Array.from({ length: EACH }, (_, i) => {
      // Each of its own, since some of them are names.
      const text = `${i}${WORST[i % WORST.length]?.repeat(MOST)}`;
      return text.slice(0, MOST).replace(/[\ud800-\udbff]$/, '');
    }),
  );
  const numbers = worst.all.map((_, i) => i);
  const { url, speakOf } = await open(worst, 0);
  const paths = numbers.flatMap((k) => [
    jobUrl(NAMES.odd(k)),
    jobUrl(NAMES.plain(k), '/backfill'),
    runUrl(RUNS.live(k)),
    runUrl(RUNS.over(k)),
  ]);

  const large: unknown[] = [];
  speakOf(1);
  for (const path of ['/', '/?page=2', '/runs', '/actions', '/timeline', '/system', ...paths]) {
    const answer = await fetch(url + path);
    const bytes = Buffer.byteLength(await answer.text());
    if (answer.status !== 200 || bytes > 150_000) large.push([path, answer.status, bytes]);
  }

  expect(large).toEqual([]);
}, 60_000);
