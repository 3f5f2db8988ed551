import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogChunk, LogLine } from '../../server/core/records.ts';
import type { LogEndQuery } from '../../server/core/store.ts';
import {
  progressOf,
  readLogPart,
  readPlace,
  type LogAsked,
} from '../../server/http/pages/log-part.ts';
import { run } from '../builders.ts';

const line = (text: string, level: LogLine['level'] = 'info'): LogLine => ({
  at: 0,
  level,
  text,
  fields: null,
});

const chunk = (n: number, first: number, lines: readonly (string | LogLine)[]): LogChunk => ({
  runId: 'a!b',
  n,
  first,
  lines: lines.map((one) => (typeof one === 'string' ? line(one) : one)),
  progress: null,
  keepFrom: 0,
});

const texts = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `line ${from + i}`);

/** A store that has these chunks, and how often it was asked. */
function storeOf(chunks: readonly LogChunk[], billed = false) {
  let reads = 0;
  return {
    reads: () => reads,
    costs: () => (billed ? new Map() : undefined),
    readLogEnd: async (_runId: string, { from, before, limit }: LogEndQuery) => {
      reads += 1;
      return chunks.filter(({ n }) => n >= from && n < before).slice(-limit);
    },
  };
}

const NEWEST: LogAsked = { after: null, before: null, matches: null, since: 0 };

async function read(
  chunks: readonly LogChunk[] | ReturnType<typeof storeOf>,
  asked: Partial<LogAsked> = {},
) {
  const store = 'reads' in chunks ? chunks : storeOf(chunks);
  const part = await readLogPart(store, 'a!b', { ...NEWEST, ...asked });
  const shown = part.entries.map((entry) => {
    if (entry.kind === 'line') return entry.line.text;
    return entry.kind === 'attempt' ? `attempt ${entry.n}` : entry.count;
  });
  return { ...part, shown };
}

const place = (text: string) => readPlace(text) ?? null;

describe('the end of a log', () => {
  test('is its newest 500 lines; those before are found from where these begin', async () => {
    const chunks = [0, 1, 2].map((n) => chunk(n, n * 400, texts(n * 400, 400)));

    const end = await read(chunks);
    const earlier = await read(chunks, { before: place(end.before ?? '') });
    const first = await read(chunks, { before: place(earlier.before ?? '') });

    expect(end.shown).toEqual(texts(700, 500));
    expect([end.before, end.after]).toEqual(['1.700', '2.1200']);
    expect(earlier.shown).toEqual(texts(200, 500));
    expect([first.shown, first.before]).toEqual([texts(0, 200), null]);
  });

  test('marks where an attempt begins, and where lines were dropped', async () => {
    const chunks = [
      chunk(3, 2, ['c']),
      chunk(4, 9, ['j']),
      chunk(1_000_000, 0, ['a']),
      chunk(2_000_005, 7, ['h']),
    ];

    const { shown, before } = await read(chunks);

    expect(shown).toEqual([2, 'c', 6, 'j', 'attempt 2', 'a', 'attempt 3', 7, 'h']);
    expect(before).toBe(null);
  });

  test('is shorter where its lines are long, and has one line at least', async () => {
    const long = '<'.repeat(8000);
    const many = await read([
      chunk(
        0,
        0,
        Array.from({ length: 100 }, () => long),
      ),
    ]);
    const one = await read([chunk(0, 0, [long])]);

    expect(many.shown.length).toBeGreaterThan(20);
    expect(many.shown.length).toBeLessThan(50);
    expect(many.before).toBe(`0.${100 - many.shown.length}`);
    expect(one.shown).toHaveLength(1);
  });

  test('takes one read where a chunk has much, and two where each has a line', async () => {
    const large = storeOf(Array.from({ length: 300 }, (_, n) => chunk(n, n * 50, texts(0, 50))));
    const small = storeOf(Array.from({ length: 9000 }, (_, n) => chunk(n, n, ['x'])));
    const billed = storeOf(
      Array.from({ length: 900 }, (_, n) => chunk(n, n, ['x'])),
      true,
    );

    const parts = [await read(large), await read(small), await read(billed)];

    expect([large, small, billed].map((store) => store.reads())).toEqual([1, 2, 2]);
    expect(parts.map(({ shown }) => shown.length)).toEqual([500, 256, 32]);
    expect(parts[1]?.before).toBe('8744.8744');
  });

  test('of nothing is nothing', async () => {
    expect(await read([])).toMatchObject({ shown: [], before: null, after: '0.0' });
  });
});

describe('what came since', () => {
  test('is only what stands behind the place', async () => {
    const chunks = [chunk(0, 0, ['a', 'b']), chunk(1, 2, ['c'])];

    const { shown, after } = await read(chunks, { after: place('0.1') });
    const none = await read(chunks, { after: place(after) });

    expect([shown, after]).toEqual([['b', 'c'], '1.3']);
    expect([none.shown, none.after]).toEqual([[], '1.3']);
  });

  test('has the lines of a chunk that was written again with more of them', async () => {
    const { shown } = await read([chunk(4, 7, ['a', 'b', 'c'])], { after: place('4.8') });

    expect(shown).toEqual(['b', 'c']);
  });

  test('has the lines that took the number of a chunk without any', async () => {
    const before = await read([chunk(0, 0, ['a']), chunk(1, 1, [])]);

    const { shown } = await read([chunk(0, 0, ['a']), chunk(1, 1, ['b'])], {
      after: place(before.after),
    });

    expect(shown).toEqual(['b']);
  });

  test('goes on with the next attempt, whose lines count anew', async () => {
    const chunks = [chunk(0, 0, ['a']), chunk(1_000_000, 0, ['b'])];

    const { shown } = await read(chunks, { after: place('0.1') });

    expect(shown).toEqual(['attempt 2', 'b']);
  });

  test('is the newest of too much, with a mark for the others', async () => {
    const chunks = [chunk(0, 0, ['a']), chunk(1, 1, texts(1, 1000))];

    const { shown, entries } = await read(chunks, { after: place('0.1') });

    expect(shown).toEqual([500, ...texts(501, 500)]);
    expect(entries[0]?.kind).toBe('behind');
  });

  test('marks what was dropped before it was seen', async () => {
    const { shown } = await read([chunk(5, 40, ['x'])], { after: place('2.10') });

    expect(shown).toEqual([30, 'x']);
  });
});

describe('a search', () => {
  const chunks = Array.from({ length: 1000 }, (_, n) => chunk(n, n, [n % 100 === 7 ? 'odd' : 'x']));
  const odd = (found: LogLine): boolean => found.text === 'odd';

  test('finds what matches in all of a log, without marks for the rest', async () => {
    const { shown, before } = await read(chunks, { matches: odd });

    expect(shown).toEqual(Array.from({ length: 10 }, () => 'odd'));
    expect(before).toBe(null);
  });

  test('that has looked through enough says where it would go on', async () => {
    const billed = storeOf(chunks, true);

    const first = await read(billed, { matches: odd });
    const second = await read(billed, { matches: odd, before: place(first.before ?? '') });

    expect(billed.reads()).toBe(4);
    expect([first.shown, first.before]).toEqual([[], '936.936']);
    expect([second.shown, second.before]).toEqual([['odd'], '873.873']);
  });
});

/** Chunks of some attempts, each line with a text of its own. */
const LOG = fc
  .array(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 6 }), { maxLength: 3 })
  .map((attempts) =>
    attempts.flatMap((sizes, k) => {
      let first = 0;
      return sizes.map((size, i) => {
        const made = chunk(k * 1_000_000 + i, first, texts(first, size));
        first += size;
        return made;
      });
    }),
  );

const allOf = (chunks: readonly LogChunk[]): string[] =>
  chunks.flatMap(({ lines }) => lines.map(({ text }) => text));

const onlyLines = (shown: readonly (string | number)[]): string[] =>
  shown.filter((one) => typeof one === 'string' && one.startsWith('line')) as string[];

test('page by page backwards, a log has each line once', async () => {
  await fc.assert(
    fc.asyncProperty(LOG, async (chunks) => {
      let found: string[] = [];
      let before: LogAsked['before'] = null;
      do {
        const part = await read(chunks, { before });
        found = [...onlyLines(part.shown), ...found];
        before = part.before === null ? null : place(part.before);
      } while (before !== null);

      expect(found).toEqual(allOf(chunks));
    }),
    { numRuns: 100 },
  );
});

test('poll by poll, a growing log has each line once', async () => {
  await fc.assert(
    fc.asyncProperty(LOG, async (chunks) => {
      const found: string[] = [];
      let after = '0.0';
      for (let known = 0; known <= chunks.length; known += 1) {
        const part = await read(chunks.slice(0, known), { after: place(after) });
        found.push(...onlyLines(part.shown));
        after = part.after;
      }

      expect(found).toEqual(allOf(chunks));
    }),
    { numRuns: 100 },
  );
});

test('a place is two numbers, and nothing else', () => {
  expect(readPlace('12.345')).toEqual({ n: 12, line: 345 });
  for (const text of ['', '1', '1.', '-1.2', '1.2.3', '1e3.1', '0x1.1', '9999999999999.1']) {
    expect(readPlace(text)).toBe(undefined);
  }
});

describe('progress', () => {
  const attempts = [
    { n: 1, attemptId: 'a', fence: 1, owner: 'o', startedAt: 0, endedAt: 1, outcome: 'failed' },
    { n: 2, attemptId: 'b', fence: 2, owner: 'o', startedAt: 2, endedAt: null, outcome: null },
  ].map((one) => ({ ...one, error: null })) as ReturnType<typeof run>['attempts'];
  const noted = (n: number) => ({ ...chunk(n, 0, []), progress: { done: n, total: null } });

  test('is that of the present attempt, which begins without any', () => {
    expect(progressOf(run({ attempts }), noted(3))).toBe(null);
    expect(progressOf(run({ attempts }), noted(1_000_004))).toMatchObject({ done: 1_000_004 });
  });

  test('of a run that is over is what stands in its record', () => {
    const over = run({ attempts, endedAt: 9, progress: { done: 4, total: 4 } });

    expect(progressOf(over, noted(1_000_004))).toEqual({ done: 4, total: 4 });
  });
});
