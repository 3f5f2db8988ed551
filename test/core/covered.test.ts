import { expect, test } from 'vitest';
import { auditStore } from '../../server/core/audit.ts';
import { wakeAll } from '../../server/core/wake.ts';
import { job, noon, openService, tempDb, type TestService } from '../service.ts';

/** Lets everything go on that waits a moment before it tries again. */
async function patience(service: TestService): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await service.clock.advance(50);
}

test('what is on record although the watermark was set back is neither run nor recorded again', async () => {
  const path = tempDb();
  const service = await openService([job({})], { path });
  await service.wake('00:01:00');
  await service.wake('00:30:00');
  await service.wake('00:31:00');
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(path);
  // As a restored backup of the one table would leave it.
  db.exec(
    `UPDATE jobs SET rev = rev + 1, next_action_at = ${noon('00:01:00')},
       doc = json_set(doc, '$.watermark', ${noon('00:00:30')}, '$.freeAt', ${noon('00:00:30')})`,
  );
  db.close();

  await service.clock.advance(noon('00:40:00') - service.clock.wall());
  const waking = wakeAll(service.deps, { aheadMs: 0, thorough: true });
  await patience(service);
  await waking;

  const { gaps, occurrences } = await auditStore(service.store);
  expect([gaps, occurrences]).toEqual([[], 40]);
  const { actions } = await service.store.listActions({ limit: 50 });
  expect(actions.map(({ action }) => action)).toContain('anomaly');
});

test('what had overlapped is not recorded again where the watermark was set back', async () => {
  const path = tempDb();
  const ends: (() => void)[] = [];
  const run = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
  const service = await openService([job({ run, timeout: '1h' })], { path });
  for (let minute = 1; minute <= 9; minute++) await service.wake(`00:0${minute}:00`);
  ends[0]?.();
  await service.settle();
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(path);
  db.exec(
    `UPDATE jobs SET rev = rev + 1, next_action_at = ${noon('00:05:00')},
       doc = json_set(doc, '$.watermark', ${noon('00:04:30')})`,
  );
  db.close();

  await service.clock.advance(noon('00:10:00') - service.clock.wall());
  const waking = wakeAll(service.deps, { aheadMs: 0, thorough: true });
  await patience(service);
  await waking;

  expect((await auditStore(service.store)).gaps).toEqual([]);
});

test('a run that took no longer than our own delays ends without a look at history', async () => {
  let finish = (): void => undefined;
  const run = (): Promise<void> => new Promise((resolve) => (finish = resolve));
  const service = await openService([job({ run, timeout: '1h' })]);
  await service.wake('00:01:00');
  await service.wake('00:02:30');
  let looks = 0;
  const listRuns = service.store.listRuns.bind(service.store);
  service.store.listRuns = (query) => {
    looks++;
    return listRuns(query);
  };

  finish();
  await service.settle();

  expect(looks).toBe(0);
  expect((await service.runs()).map(({ state }) => state)).toEqual(['succeeded', 'skipped']);
});
