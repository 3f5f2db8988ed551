import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { JobRecord, Outcome } from '../../server/core/records.ts';
import { docOfJob } from '../../server/stores/sqlite-doc.ts';
import { commit, jobRecord, lease } from '../builders.ts';
import { file, openStore } from './sqlite-fixture.ts';

const outcome = (i: number): Outcome => ({ id: `a@${i}`, state: 'succeeded', at: i, ms: 5 });
const recent = Array.from({ length: 60 }, (_, i) => outcome(100 + i));
const days = [{ day: 20_000, good: 1, bad: 2, quiet: 3 }];

const records: readonly JobRecord[] = [
  jobRecord(),
  jobRecord({ recent, days }),
  jobRecord({ recent, nextActionAt: 1_796_067_349_648, active: { a1: lease() } }),
  jobRecord({ recent: [{ ...outcome(1), late: 5 }], build: 'ü ¬ 日本 "\\\n  ' }),
];

test.each(records)('what was written is what is read', (record) => {
  for (const before of [undefined, 0, 700, 9000, 1_000_000]) {
    const { text, bytes } = docOfJob(record, before === undefined ? undefined : { bytes: before });

    expect(JSON.parse(text)).toEqual({ days: [], ...record });
    const time = record.nextActionAt === null ? 6 : 0;
    expect(Buffer.byteLength(text)).toBe(bytes + time);
  }
});

describe('a doc', () => {
  const bytesOf = (record: JobRecord, before?: number) =>
    docOfJob(record, before === undefined ? undefined : { bytes: before }).bytes;
  const small = jobRecord({ recent });
  const large = jobRecord({ recent, active: { a1: lease() }, nextActionAt: 1_796_067_349_648 });

  test('keeps its length through a claim and an end', () => {
    const first = bytesOf(small);
    expect(bytesOf(large, first)).toBe(first);
    expect(bytesOf(small, first)).toBe(first);
  });

  test('grows where it does not fit any more, and gives back what it does not need', () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`a${i}`, lease()]));
    const grown = bytesOf(jobRecord({ recent, active: many }), bytesOf(small));
    expect(grown).toBeGreaterThan(bytesOf(small));
    expect(bytesOf(small, grown)).toBeLessThan(grown);
  });
});

test('a claim writes over the pages of its job that change, and no others', async () => {
  const path = file();
  const store = openStore({ path });
  const made = await store.commit(commit(jobRecord({ recent, days })));
  if (made.kind !== 'ok') throw new Error(made.kind);
  const db = new DatabaseSync(path);
  const kept = jobRecord({ recent, days, rev: 2 });
  let { version } = made;
  const framesOf = async (record: JobRecord): Promise<number> => {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    await store.read(record.name);
    const result = await store.commit(commit(record, { version }));
    if (result.kind !== 'ok') throw new Error(result.kind);
    ({ version } = result);
    const found = db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get();
    return Number(found?.['log']);
  };

  // The row takes its length by the first write after the one that made it.
  await framesOf({ ...kept, rev: 3 });
  const next = { nextActionAt: 1_796_067_349_648, active: { a1: lease() } };
  const claimed = await framesOf({ ...kept, rev: 4, ...next });
  const ended = await framesOf({ ...kept, rev: 5 });

  // The row's first page, and two indexes; the clock stands still.
  expect([claimed, ended]).toEqual([3, 3]);
  db.close();
});
