import { expect, test } from 'vitest';
import type { LogChunk } from '../../server/core/records.ts';
import { readLogView } from '../../server/http/log-view.ts';

const chunk = (n: number, first: number, texts: readonly string[], done?: number): LogChunk => ({
  runId: 'a!b',
  n,
  first,
  lines: texts.map((text) => ({ at: 0, level: 'info', text, fields: null })),
  progress: done === undefined ? null : { done, total: null },
  keepFrom: 0,
});

/** The texts of the lines, and how many were left out where. */
async function view(chunks: readonly LogChunk[], limit: number) {
  const store = {
    readLog: async (_runId: string, from: number, most: number) =>
      chunks.filter(({ n }) => n >= from).slice(0, most),
  };
  const { entries, progress } = await readLogView(store, 'a!b', limit);
  const shown = entries.map((entry) => (entry.kind === 'line' ? entry.line.text : entry.count));
  return { shown, progress };
}

test('lines come in order, and dropped ones leave a mark with their number', async () => {
  const { shown } = await view([chunk(3, 2, ['c', 'd']), chunk(4, 9, ['j'])], 100);

  expect(shown).toEqual([2, 'c', 'd', 5, 'j']);
});

test('lines are counted anew with each attempt', async () => {
  const { shown } = await view([chunk(0, 0, ['a']), chunk(1_000_000, 0, ['b'])], 100);
  const late = await view([chunk(0, 0, ['a']), chunk(1_000_005, 3, ['b'])], 100);

  expect(shown).toEqual(['a', 'b']);
  expect(late.shown).toEqual(['a', 3, 'b']);
});

test('over the limit the newest lines are kept, and the others are counted', async () => {
  const { shown } = await view([chunk(0, 10, ['a', 'b', 'c']), chunk(1, 13, ['d', 'e'])], 2);

  expect(shown).toEqual([13, 'd', 'e']);
});

test('a log of many chunks is read to its end', async () => {
  const chunks = Array.from({ length: 301 }, (_, n) => chunk(n, n, [String(n)], n));

  const { shown, progress } = await view(chunks, 20_000);

  expect(shown).toHaveLength(301);
  expect(progress).toEqual({ done: 300, total: null });
});
