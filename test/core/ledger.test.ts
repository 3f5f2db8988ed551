import { describe, expect, test } from 'vitest';
import { auditStore } from '../../server/core/audit.ts';
import { writeHistory } from '../load/history.ts';
import { pruneJob } from '../prune-job.ts';
import { job, noon, openService, tempDb } from '../service.ts';

const DAY = 86_400_000;
const quiet = new AbortController().signal;

describe('the audit', () => {
  test('finds every occurrence of a busy day on record, once', async () => {
    const service = await openService([
      job({ name: 'a' }),
      job({ name: 'b', schedule: '*/7 * * * *', overlap: 'queue' }),
    ]);
    for (const time of ['00:01:00', '00:02:00', '00:30:00', '00:31:00', '07:00:00']) {
      await service.wake(time);
    }

    const audited = await auditStore(service.store);

    expect(audited.gaps).toEqual([]);
    expect(audited.occurrences).toBe(7 * 60 + 7 * 9);
  });

  test('names an occurrence whose record is gone, and one that two records claim', async () => {
    const path = tempDb();
    const service = await openService([job({})], { path });
    for (const time of ['00:01:00', '00:02:00', '00:09:00']) await service.wake(time);
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(path);
    db.exec("DELETE FROM runs WHERE id = 'job@20260301T000200Z'");
    db.exec(`INSERT INTO runs (id, job, state, trigger, at, doc)
      SELECT 'job@20260301T000400Z', job, 'succeeded', trigger, ${noon('00:04:00')},
        json_set(doc, '$.id', 'job@20260301T000400Z', '$.range', NULL,
          '$.scheduledAt', ${noon('00:04:00')}, '$.at', ${noon('00:04:00')})
      FROM runs WHERE json_extract(doc, '$.range') IS NOT NULL LIMIT 1`);
    db.close();

    const { gaps } = await auditStore(service.store);

    expect(gaps.map(({ at, what }) => [new Date(at).toISOString().slice(11, 16), what])).toEqual([
      ['00:02', 'no record says what became of it'],
      ['00:04', '2 records claim it'],
    ]);
  });

  test('names a run that nothing holds', async () => {
    const path = tempDb();
    const service = await openService([job({})], { path });
    await service.wake('00:01:00');
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(path);
    db.exec("UPDATE runs SET state = 'running', doc = json_set(doc, '$.state', 'running')");
    db.close();

    const { gaps } = await auditStore(service.store);

    expect(gaps.map(({ what }) => what)).toEqual([
      'run job@20260301T000100Z is running, but nothing holds it',
    ]);
  });
});

describe('retention', () => {
  async function lived() {
    const service = await openService([
      job({
        schedule: '0 * * * *',
        run: ({ scheduledAt }) => {
          if (scheduledAt === noon('05:00:00')) throw new Error('the only failure');
        },
      }),
    ]);
    for (let hour = 1; hour <= 72; hour++) {
      await service.clock.advance(noon('00:00:00') + hour * 3_600_000 - service.clock.wall());
      const { wakeAll } = await import('../../server/core/wake.ts');
      await wakeAll(service.deps, { aheadMs: 0, thorough: true });
      await service.settle();
    }
    return service;
  }

  test('deletes by age, keeps the last failure, and leaves no gap', async () => {
    const service = await lived();

    const gone = await pruneJob(service.deps, 'job', { maxAgeMs: 2 * DAY, maxRuns: 9999 }, quiet);

    const left = await service.runs();
    expect(gone).toBe(72 - 48 - 1);
    expect(left[0]).toMatchObject({ scheduledAt: noon('05:00:00'), state: 'failed' });
    expect(left).toHaveLength(49);
    expect((await auditStore(service.store)).gaps).toEqual([]);
  });

  test('deletes by count, but nothing of the last day', async () => {
    const service = await lived();

    await pruneJob(service.deps, 'job', { maxAgeMs: 365 * DAY, maxRuns: 10 }, quiet);

    const left = await service.runs();
    // 24 of the last day, the one that lies exactly a day back, and the failure.
    expect(left.length).toBeGreaterThanOrEqual(25);
    expect(left.length).toBeLessThanOrEqual(26);
    expect((await auditStore(service.store)).gaps).toEqual([]);
  });

  test('deletes nothing where there is nothing to delete', async () => {
    const service = await lived();

    const gone = await pruneJob(service.deps, 'job', { maxAgeMs: 9 * DAY, maxRuns: 999 }, quiet);

    expect(gone).toBe(0);
    expect((await service.store.read('job')).record?.ledgerFrom).toBe(noon('00:00:00'));
  });

  test('looks through a long history while others have their turn', async () => {
    const path = tempDb();
    const service = await openService([job({})], { path });
    const to = noon('00:00:00') - 2 * DAY;
    writeHistory(path, [['job', '* * * * * *']], { from: to - 3_000_000, to });
    let [turns, over] = [0, false];
    const count = (): void => {
      turns += 1;
      if (!over) setImmediate(count);
    };
    count();

    const policy = { maxAgeMs: 365 * DAY, maxRuns: 2500 };
    const gone = await pruneJob(service.deps, 'job', policy, quiet);
    over = true;

    expect(gone).toBe(500);
    expect(turns).toBeGreaterThan(3000 / 200);
  });
});
