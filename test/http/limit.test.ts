import { describe, expect, test } from 'vitest';
import { RateLimit } from '../../server/http/limit.ts';
import { serve } from './client.ts';
import { job } from '../service.ts';

describe('a limit', () => {
  test('lets a burst through, and then so many a second', () => {
    const limit = new RateLimit({ perSecond: 2, burst: 3 });
    const take = (at: number) => limit.take('a', at);

    expect([take(0), take(0), take(0), take(0)]).toEqual([0, 0, 0, 1]);
    expect([take(499), take(500), take(501)]).toEqual([1, 0, 1]);
    expect([take(60_000), take(60_000), take(60_000), take(60_000)]).toEqual([0, 0, 0, 1]);
  });

  test('is each one’s own, for as many as are remembered', () => {
    const limit = new RateLimit({ perSecond: 1 / 60, burst: 1 });
    limit.take('a', 0);

    const others = Array.from({ length: 10_001 }, (_, i) => limit.take(`other ${i}`, 0));

    expect(others.every((wait) => wait === 0)).toBe(true);
    // Forgotten to make room, not kept for ever.
    expect(limit.take('a', 0)).toBe(0);
    expect(limit.take('other 10000', 0)).toBe(60);
  });
});

test('triggers beyond what one sender may send are told when to come again, reads are not', async () => {
  const access = {
    modes: ['loopback'] as const,
    operators: [],
    viewers: [],
    iapAudience: null,
    triggersPerSecond: 2,
  };
  const { ask, service } = await serve([job({})], { app: { access } });
  const paths = ['/triggers/tick', '/triggers/jobs/job', '/api/v1/jobs/job/runs'];
  const statuses: number[] = [];

  for (let i = 0; i < 12; i++) statuses.push((await ask('POST', paths[i % 3] ?? '')).status);
  const refused = await ask('POST', '/triggers/tick');
  const read = await ask('GET', '/');
  await service.clock.advance(1000);
  const later = await ask('POST', '/triggers/tick');

  expect(statuses.filter((status) => status === 429)).toHaveLength(2);
  expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, '1']);
  expect([read.status, later.status]).toEqual([200, 200]);
});
