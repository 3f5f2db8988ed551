import { expect, test } from 'vitest';
import type { ActionRecord } from '../../server/core/records.ts';
import { byHand, job } from '../service.ts';
import { TEST_START } from '../test-clock.ts';
import { textOf } from '../views/builders.ts';
import { cost, json, serve, type Answer } from './client.ts';
import { record } from './history.ts';

const rows = ({ text }: Answer): number => text.match(/<tr id="action-/g)?.length ?? 0;

const next = ({ text }: Answer): string =>
  /rel="next" href="([^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? '';

const actions = (count: number, given: (n: number) => Partial<ActionRecord>): ActionRecord[] =>
  Array.from({ length: count }, (_, n) => ({
    id: `past-${String(n).padStart(4, '0')}`,
    at: TEST_START + n * 1000,
    by: null,
    action: 'pause',
    job: 'a',
    runId: null,
    detail: '',
    ...given(n),
  }));

const MINUTE = 60_000;

test('what people do is on record, newest first, with what it changed', async () => {
  const { service, ask } = await serve([job({ name: 'a' }), byHand({ name: 'b' })]);
  const until = '2026-03-01T08:00:00Z';
  await ask('PUT', '/api/v1/jobs/a/pause', json({ note: 'maintenance', until }));
  await service.clock.advance(1000);
  await ask('POST', '/api/v1/jobs/b/runs', json({}));
  await service.settle();
  await ask('DELETE', '/api/v1/jobs/a/pause');

  const page = await ask('GET', '/actions');
  const text = textOf({ markup: page.text });

  expect(text).toMatch(/resumed the job a paused since .* → active/);
  expect(text).toContain('somebody on this machine started a run b running no input');
  expect(text).toContain(
    'paused the job a active → paused until 2026-03-01 08:00:00 UTC: maintenance',
  );
  expect(rows(page)).toBe(3);
  expect(cost(page)).toBe('1 store read, 3 records');
});

test('the first page goes on by itself, is small, and leads to what is older', async () => {
  const { service, ask } = await serve([byHand({ name: 'a' })]);
  await service.clock.advance(10 * MINUTE);
  await record(service, 'a', { actions: actions(120, () => ({})) });

  const first = await ask('GET', '/actions');
  const second = await ask('GET', next(first));
  const third = await ask('GET', next(second));

  expect([first, second, third].map(rows)).toEqual([50, 50, 20]);
  expect(next(third)).toBe('');
  expect(first.text).toContain('data-poll="3"');
  expect(second.text).not.toContain('data-poll');
  expect(cost(first)).toBe('1 store read, 50 records');
});

test('one job’s, people’s, the service’s and one person’s are shown on their own', async () => {
  const { service, ask } = await serve([byHand({ name: 'a' }), byHand({ name: 'b' })]);
  await service.clock.advance(10 * MINUTE);
  const all = actions(90, (n) =>
    n % 3 === 0 ? { action: 'define' } : n % 3 === 1 ? { by: 'ada' } : {},
  );
  await record(service, 'a', { actions: all.slice(0, 60) });
  await record(service, 'b', { actions: all.slice(60).map((one) => ({ ...one, job: 'b' })) });

  const ofJob = await ask('GET', '/actions?job=b');
  const people = await ask('GET', '/actions?by=people');
  const rest = await ask('GET', next(people));
  const own = await ask('GET', '/actions?by=service&job=a');
  const ada = await ask('GET', '/actions?by=ada');

  expect([ofJob, people, rest, own, ada].map(rows)).toEqual([30, 50, 10, 20, 30]);
  expect(cost(people)).toBe('2 store reads, 165 records');
  expect(textOf({ markup: rest.text })).toContain('looked through 15 actions, to the first');
  expect(people.text).not.toContain('data-poll');
});

test('a job that there is none of is told, and nothing is read for what is no name', async () => {
  const { ask } = await serve([byHand({ name: 'nightly-report' })]);

  const near = await ask('GET', '/actions?job=nigthly-report');
  const odd = await ask('GET', '/actions?job=../x');
  const none = await ask('GET', '/actions?job=nightly-report');

  expect(textOf({ markup: near.text })).toContain(
    'There is no job "nigthly-report". Did you mean nightly-report',
  );
  expect(textOf({ markup: odd.text })).toContain('There is no job "../x"');
  expect(cost(odd)).toBe('0 store reads, 0 records');
  expect(textOf({ markup: none.text })).toContain('No actions like this.');
});
