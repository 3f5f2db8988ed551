import { describe, expect, test } from 'vitest';
import { pauseJob } from '../../server/core/run-now.ts';
import { nameOfRun } from '../../views/packed.ts';
import { byHand, job } from '../service.ts';
import { serve, type Answer } from './client.ts';

const HTMX = { headers: { 'HX-Request': 'true' } };

const rows = ({ text }: Answer): string[] =>
  [...text.matchAll(/<tr id="job-([a-z0-9-]+)"/g)].map(([, name = '']) => name);

const footer = ({ text }: Answer): string =>
  /\d+ store reads?, [\d,]+ records?/.exec(text)?.[0] ?? '';

describe('the jobs page', () => {
  test('asks the store once, for what changed since the last look', async () => {
    const { service, ask } = await serve([job({ name: 'a' }), job({ name: 'b' })]);
    await service.clock.advance(5000);

    const first = await ask('GET', '/');
    await service.clock.advance(5000);
    const idle = await ask('GET', '/');
    await service.wake('00:01:00');
    const changed = await ask('GET', '/');

    expect([first, idle, changed].map(footer)).toEqual([
      '1 store read, 2 records',
      '1 store read, 0 records',
      '1 store read, 2 records',
    ]);
    expect(changed.text.match(/succeeded<\/span>/g)).toHaveLength(2);
  });

  test('of 500 jobs is a page of 50 rows, under 150 KB, and costs one read to look at again', async () => {
    const many = Array.from({ length: 500 }, (_, i) =>
      job({
        name: `job-${String(i).padStart(3, '0')}`,
        description: `Brings what number ${i} has over to where it is needed.`,
        tags: [`tag-${i % 40}`, 'all'],
        schedule: `${i % 60} ${i % 24} * * *`,
        timeZone: 'Europe/London',
      }),
    );
    const { service, ask } = await serve(many);
    await service.clock.advance(5000);

    const first = await ask('GET', '/');
    const second = await ask('GET', '/?page=10');
    const beyond = await ask('GET', '/?page=11');

    expect([first, second].map(footer)).toEqual([
      '3 store reads, 500 records',
      '1 store read, 0 records',
    ]);
    expect(rows(first)).toHaveLength(50);
    expect(rows(second).at(-1)).toBe('job-499');
    expect(rows(beyond)).toEqual(rows(second));
    expect(first.text).toContain('500 jobs, page 1 of 10');
    expect(Buffer.byteLength(first.text)).toBeLessThan(150_000);
  });

  test('shows fewer rows at a time where they are long', async () => {
    const long = Array.from({ length: 60 }, (_, i) =>
      job({
        name: `${'n'.repeat(60)}-${String(i).padStart(2, '0')}`,
        description: '€'.repeat(1000),
        tags: Array.from({ length: 20 }, (__, n) => `t${i}-${n}-`.padEnd(40, 'x')),
        schedule: '0 0 1 1 *',
      }),
    );
    const { ask } = await serve(long);

    const first = await ask('GET', '/');
    const last = await ask('GET', '/?page=9');

    expect(Buffer.byteLength(first.text)).toBeLessThan(150_000);
    expect(rows(first).length).toBeLessThan(50);
    expect(rows(first).length).toBeGreaterThan(15);
    expect(rows(last).at(-1)).toMatch(/-59$/);
  });

  test('is narrowed down by text, tag and state, all in its address', async () => {
    const { service, ask } = await serve([
      job({ name: 'sync-orders', tags: ['shop'], description: 'From the Shop.' }),
      job({ name: 'sync-prices', tags: ['shop', 'slow'] }),
      job({
        name: 'report',
        run: () => {
          throw new Error('no paper');
        },
      }),
    ]);
    await service.wake('00:01:00');
    const shown = async (query: string) => rows(await ask('GET', `/?${query}`));

    expect(await shown('')).toEqual(['report', 'sync-orders', 'sync-prices']);
    expect(await shown('text=SYNC+shop')).toEqual(['sync-orders', 'sync-prices']);
    expect(await shown('text=from+orders')).toEqual(['sync-orders']);
    expect(await shown('tag=slow')).toEqual(['sync-prices']);
    expect(await shown('tag=slo')).toEqual([]);
    expect(await shown('state=failing')).toEqual(['report']);
    expect(await shown('state=active&text=&tag=')).toHaveLength(3);
    expect(await shown('state=paused')).toEqual([]);
    expect(await shown('state=failing&tag=shop')).toEqual([]);
  });

  test('tells in words what it can not be asked for', async () => {
    const { ask } = await serve([job({})]);

    const state = await ask('GET', '/?state=unwell');
    const name = await ask('GET', '/?colour=red');
    const page = await ask('GET', '/?page=two');

    expect(state.status).toBe(200);
    expect(state.text).toContain('There is no state “unwell”; known are broken, failing, active');
    expect(rows(state)).toEqual(['job']);
    expect([name.status, page.status]).toEqual([400, 400]);
    expect(name.text).toContain('known: text, tag, state, page');
    expect(page.text).toContain('expected a whole number');
  });

  test('counts what went wrong in the last 24 hours, and leads to a page of it', async () => {
    const { service, ask } = await serve([
      job({
        schedule: '0 1 1 3 *',
        run: () => {
          throw new Error('no paper');
        },
      }),
    ]);

    const before = await ask('GET', '/');
    await service.wake('01:00:00');
    const after = await ask('GET', '/');
    await service.clock.advance(86_400_000 + 5000);
    const dayLater = await ask('GET', '/');

    expect(before.text).toContain('Nothing went wrong in the last 24 hours.');
    expect(after.text).toMatch(/<a href="\/runs\?q=[^"]+">1 run went wrong<\/a>/);
    expect(dayLater.text).toContain('Nothing went wrong in the last 24 hours.');
  });
});

describe('a click in a row', () => {
  test('pauses until somebody resumes, and answers with words and the row', async () => {
    const { service, ask } = await serve([job({})]);

    const paused = await ask('POST', '/jobs/job/row/pause', HTMX);
    const { record } = await service.store.read('job');
    const resumed = await ask('POST', '/jobs/job/row/resume', HTMX);

    expect(paused.status).toBe(200);
    expect(paused.text).toContain('job is paused until it is resumed.');
    expect(paused.text).toContain('<a href="/jobs/job">on its page</a>');
    expect(paused.text).toContain('hx-target="#job-job" hx-swap="outerMorph"');
    expect(rows(paused)).toEqual(['job']);
    expect(paused.text).toContain('Resume</button>');
    expect(record?.paused).toMatchObject({ note: null, until: null });
    expect(resumed.text).toContain('job is resumed.');
    expect(resumed.text).toContain('Pause</button>');
  });

  test('does not take the place of a pause that somebody else began meanwhile', async () => {
    const { service, ask } = await serve([job({})]);
    await pauseJob(service.deps, 'job', { by: 'ada', note: 'CRM moves', until: null });

    const { text } = await ask('POST', '/jobs/job/row/pause', HTMX);

    expect(text).toContain('job was paused already.');
    expect(text).toContain('CRM moves');
    expect((await service.store.read('job')).record?.paused?.by).toBe('ada');
  });

  test('starts a run, and answers with the row as it then is', async () => {
    const { service, ask } = await serve([byHand({ run: () => new Promise(() => undefined) })]);

    const answer = await ask('POST', '/jobs/job/row/runs', HTMX);
    const run = await service.lastRun();

    expect(answer.status).toBe(201);
    expect(answer.text).toContain('a run has started.');
    expect(answer.text).toContain(`<a href="/runs/${encodeURIComponent(run.id)}">Look at it</a>`);
    expect(answer.text).toMatch(/class="badge live"[^]*running/);
  });

  test('leads a browser without scripts to where it can be seen', async () => {
    const { ask } = await serve([job({})]);

    const paused = await ask('POST', '/jobs/job/row/pause', { redirect: 'manual' });
    const started = await ask('POST', '/jobs/job/row/runs', { redirect: 'manual' });

    expect([paused.status, paused.headers.get('location')]).toEqual([303, '/jobs/job']);
    expect(started.status).toBe(303);
    expect(started.headers.get('location')).toMatch(/^\/runs\/job!/);
  });

  test('on what is no job changes nothing', async () => {
    const { ask } = await serve([job({})]);

    const answers = await Promise.all(
      ['runs', 'pause', 'resume'].map((what) => ask('POST', `/jobs/other/row/${what}`, HTMX)),
    );

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
  });

  test('from another site is refused', async () => {
    const { service, ask } = await serve([job({})]);

    const answer = await ask('POST', '/jobs/job/row/pause', {
      headers: { Origin: 'https://evil.example' },
    });

    expect(answer.status).toBe(403);
    expect((await service.store.read('job')).record?.paused).toBeNull();
  });
});

test('a run by hand is found by its short name, while it is among the last', async () => {
  const { service, ask } = await serve([byHand({})]);
  await ask('POST', '/jobs/job/row/runs', HTMX);
  await service.settle();
  const { id } = await service.lastRun();

  const found = await ask('GET', `/jobs/job/last/${nameOfRun(id)}`, { redirect: 'manual' });
  const unknown = await ask('GET', '/jobs/job/last/abc', { redirect: 'manual' });
  const { text } = await ask('GET', '/');

  expect(found.status).toBe(302);
  expect(found.headers.get('location')).toBe(`/runs/${encodeURIComponent(id)}`);
  expect(unknown.status).toBe(404);
  expect(text).toMatch(new RegExp(`data-runs="S[^"]*!${nameOfRun(id)}"`));
});
