import { describe, expect, test } from 'vitest';
import { commit, jobRecord, run } from '../builders.ts';
import { emulator } from './fixture.ts';
import { openService } from './service.ts';

describe.skipIf(emulator === null)('runs that are skipped', () => {
  test('are billed as those that are read', async () => {
    const service = await openService([]);
    const create = Array.from({ length: 9 }, (_, i) => run({ id: `a@${i}`, job: 'a', at: i }));
    await service.store.commit(commit(jobRecord({ name: 'a' }), { create }));
    const list = (skip: number) => service.store.listRuns({ job: 'a', skip, limit: 1 });

    expect(await service.billed(() => list(0))).toBe('2 R, 0 W');
    expect(await service.billed(() => list(5))).toBe('7 R, 0 W');
  });
});
