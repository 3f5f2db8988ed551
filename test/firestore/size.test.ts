import { describe, expect, test } from 'vitest';
import { BACKFILLS_KEPT } from '../../server/core/backfills.ts';
import { LOG_LIMIT } from '../../server/core/log-line.ts';
import { defineJob } from '../../server/core/job.ts';
import { runNow } from '../../server/core/run-now.ts';
import { wakeJob } from '../../server/core/wake.ts';
import type { Value } from '../../server/stores/firestore-types.ts';
import { valueOf } from '../../server/stores/firestore-values.ts';
import { jobRecord, runRequest } from '../builders.ts';
import { emulator } from './fixture.ts';
import { openService, register } from './service.ts';

/** A Firestore document holds 1 MiB. Whatever a handler does, what is kept of it fits. */

/** Three bytes of UTF-8 for one character. */
const WIDE = '字';

test('the record of a job that has all its outcomes kept is a few KB', () => {
  const id = `${'a'.repeat(40)}@20260301T020000Z`;
  const outcome = { id, state: 'succeeded', at: 1.7e12, ms: 86_400_000, late: 3_600_000 } as const;
  const [from, to, cursor, since, askedAt, endedAt] = Array.from({ length: 6 }, () => 1.7e12);
  const by = 'somebody.with.a.long.name@example.com';
  const backfill = { id: 'a'.repeat(26), from, to, cursor, since, askedAt, endedAt, by } as never;
  const day = { day: 20_513, good: 1440, bad: 1440, quiet: 1440 };
  const record = jobRecord({
    recent: Array.from({ length: 60 }, () => outcome),
    days: Array.from({ length: 42 }, () => day),
    backfills: Array.from({ length: BACKFILLS_KEPT }, () => backfill),
  });

  expect(sizeOf(valueOf(record))).toBeLessThan(18_000);
  expect(sizeOf(valueOf(record.days))).toBeLessThan(2500);
  expect(sizeOf(valueOf(record.backfills))).toBeLessThan(4000);
});

/** As Firestore reckons: names and texts as UTF-8 and one byte, 8 bytes a number, 1 a boolean. */
function sizeOf({ mapValue, arrayValue, stringValue, booleanValue, nullValue }: Value): number {
  if (mapValue?.fields) {
    const fields = Object.entries(mapValue.fields);
    return fields.reduce((sum, [name, value]) => sum + name.length + 1 + sizeOf(value), 0);
  }
  if (arrayValue) return (arrayValue.values ?? []).reduce((sum, value) => sum + sizeOf(value), 0);
  if (typeof stringValue === 'string') return Buffer.byteLength(stringValue) + 1;
  return typeof booleanValue === 'boolean' || nullValue !== undefined ? 1 : 8;
}

describe.skipIf(emulator === null)('whatever a job writes, its documents fit', () => {
  test(
    'a hundred attempts with errors and logs as large as can be',
    { timeout: 120_000 },
    async () => {
      let tries = 0;
      const job = defineJob({
        name: 'job',
        retry: { attempts: 100, backoff: { from: 0, to: 0, jitter: 0 } },
        run({ log, progress }) {
          tries += 1;
          if (tries > 97)
            for (let line = 0; line < 100; line += 1) log(WIDE.repeat(9000), { tries });
          progress(tries, 100);
          const error = new Error(WIDE.repeat(10_000));
          error.stack = WIDE.repeat(20_000);
          throw error;
        },
      });
      const service = await openService([job]);
      await register(service);
      const request = runRequest({ key: 'a' });
      await runNow(service.deps, service.deps.registry.get('job')!, request);
      await service.idle();

      for (let turn = 0; turn < 110; turn += 1) {
        await wakeJob(service.deps, 'job');
        await service.idle();
      }

      const [run] = (await service.store.listRuns({ limit: 1 })).runs;
      const chunks = await service.store.readLog(run?.id ?? '', 0, 1000);
      const size = chunks.reduce((sum, chunk) => sum + JSON.stringify(chunk).length, 0);
      expect(run).toMatchObject({ state: 'failed', output: null });
      expect(run?.attempts).toHaveLength(100);
      expect(run?.attempts.at(-1)?.error?.message.length).toBeGreaterThan(4000);
      expect(run?.attempts[0]?.error?.message).toMatch(/…$/);
      expect(Buffer.byteLength(JSON.stringify(run))).toBeLessThan(1_000_000);
      expect(size).toBeLessThan(4 * LOG_LIMIT);
    },
  );
});
