import { describe, expect, test } from 'vitest';
import { StoreUnavailable } from '../../server/core/store.ts';
import { job, openService, type TestService } from '../service.ts';

/** Lets everything go on that waits a moment before it tries again. */
async function patience(service: TestService): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await service.clock.advance(50);
}

describe('a finish that comes after the run was judged lost', () => {
  /** Its beats do not get through, as if the process had been stopped; another one judges it. */
  async function judgedLost() {
    let finish = (_value: string): void => undefined;
    const run = (): Promise<string> => new Promise((resolve) => (finish = resolve));
    const service = await openService([job({ run, timeout: '1h' })]);
    await service.wake('00:01:00');
    const commit = service.store.commit.bind(service.store);
    service.store.commit = (order) =>
      order.op === 'renew' ? Promise.reject(new StoreUnavailable('cut off')) : commit(order);
    await service.wake('00:02:40');
    const stored = () => service.store.getRun('job@20260301T000100Z');
    return { service, stored, finish: (value: string) => finish(value) };
  }

  test('is kept beside it', async () => {
    const { service, stored, finish } = await judgedLost();

    finish('too late');
    await patience(service);

    expect(await stored()).toMatchObject({
      state: 'lost',
      lateResult: { outcome: 'succeeded', output: '"too late"' },
    });
  });

  test('is kept also where the store does not answer at first', async () => {
    const { service, stored, finish } = await judgedLost();
    const save = service.store.saveLateResult.bind(service.store);
    let tries = 0;
    service.store.saveLateResult = (id, late) =>
      tries++ < 2 ? Promise.reject(new StoreUnavailable('locked')) : save(id, late);

    finish('too late');
    for (let second = 0; second < 20; second++) await service.clock.advance(1000);

    expect((await stored())?.lateResult).toMatchObject({ output: '"too late"' });
    expect(tries).toBe(3);
  });

  test('is given up in the end, and its place in the process is free', async () => {
    const { service, finish } = await judgedLost();
    service.store.saveLateResult = () => Promise.reject(new StoreUnavailable('gone'));
    const before = service.deps.runner.running;

    finish('too late');
    for (let minute = 0; minute < 16; minute++) await service.clock.advance(60_000);

    expect(service.deps.runner.running).toBe(before - 1);
    expect(service.logged.join('\n')).toContain('late_result_not_saved');
  });
});
