import { describe, expect, test } from 'vitest';
import type { JobDefinition } from '../../server/core/job.ts';
import { byHand, job, noon } from '../service.ts';
import { HTMX, serve } from './client.ts';
import { form, runsOf, valueOf, withInput, words } from './forms.ts';

/** A handler that goes on until its run is cancelled. */
const endless = (definition: Partial<JobDefinition> = {}) =>
  byHand({
    run: ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    ...definition,
  });

describe('the form of a run', () => {
  test('has a field for each part of the input, with what it is when nobody says', async () => {
    const { ask } = await serve([withInput()]);

    const answer = await ask('GET', '/jobs/sync');

    expect(answer.text).toMatch(/<textarea [^>]*name="input\.shops"[^>]*>\nlondon<\/textarea>/);
    expect(valueOf(answer, 'input.limit')).toBe('5');
    expect(answer.text).toContain('<option value="&quot;new&quot;" selected>new</option>');
    expect(answer.text).toMatch(/type="checkbox" value="true" [^>]*name="input\.dryRun">/);
    expect(words(answer)).toContain('A whole number, at most 50. Empty means 5.');
  });

  test('starts a run with what was filled in', async () => {
    const { service, ask } = await serve([withInput()]);

    const sent = { as: 'fields', 'input.shops': 'paris\r\nrome\r\n', 'input.limit': '7' };
    const answer = await ask('POST', '/jobs/sync/runs', form({ ...sent, 'input.dryRun': 'true' }));
    const [run] = await runsOf(service);

    expect(answer.status).toBe(303);
    expect(answer.headers.get('Location')).toBe(`/runs/${encodeURIComponent(run?.id ?? '')}`);
    expect(JSON.parse(run?.input ?? '')).toEqual({
      shops: ['paris', 'rome'],
      limit: 7,
      dryRun: true,
    });
    expect(JSON.parse(run?.output ?? '')).toMatchObject({ mode: 'new' });
  });

  test('comes back with what was typed and what is wrong, each under its field', async () => {
    const { service, ask } = await serve([withInput()]);
    const sent = { as: 'fields', 'input.shops': 'rome\nLA', 'input.limit': 'many' };

    const plain = await ask('POST', '/jobs/sync/runs', form(sent));
    const both = await ask('POST', '/jobs/sync/runs', form({ ...sent, 'input.limit': '99' }));
    const part = await ask('POST', '/jobs/sync/runs', form(sent, HTMX));

    expect([plain.status, both.status, part.status]).toEqual([422, 422, 422]);
    expect(plain.text).toMatch(/^<!doctype html>/);
    expect(plain.text).toContain('<details id="run-now" class="fold" hx-morph-skip open>');
    expect(words(plain)).toContain('"many" is not a number');
    expect(valueOf(plain, 'input.limit')).toBe('many');
    expect(plain.text).toMatch(/aria-describedby="in-1-hint in-1-wrong" aria-invalid="true"/);
    expect(words(both)).toContain('item 2: too short');
    expect(words(both)).toContain('at most 50');
    expect(part.text).toContain('hx-target="#run-now" hx-swap="outerHTML"');
    expect(part.text).not.toContain('<!doctype');
    expect(await runsOf(service)).toEqual([]);
  });

  test('is one run however often it is sent', async () => {
    const { service, ask } = await serve([withInput()]);
    const page = await ask('GET', '/jobs/sync');
    const sent = { as: 'fields', key: valueOf(page, 'key') ?? '', 'input.limit': '1' };

    const answers = await Promise.all(
      [sent, sent, sent].map((fields) => ask('POST', '/jobs/sync/runs', form(fields))),
    );
    const later = await ask('POST', '/jobs/sync/runs', form(sent, HTMX));
    const other = await ask('POST', '/jobs/sync/runs', form({ ...sent, 'input.limit': '2' }));

    expect(new Set(answers.map(({ headers }) => headers.get('Location'))).size).toBe(1);
    expect(words(later)).toContain('sync: this form had started its run already. Look at it');
    expect(other.status).toBe(409);
    expect(words(other)).toContain('This form has started a run already, with another input.');
    expect(valueOf(other, 'key')).not.toBe(sent.key);
    expect(await runsOf(service)).toHaveLength(1);
  });

  test('is filled in from an earlier run', async () => {
    const { service, ask } = await serve([withInput()]);
    await ask('POST', '/jobs/sync/runs', form({ as: 'fields', 'input.shops': 'oslo\nrome' }));
    const [run] = await runsOf(service);
    const id = encodeURIComponent(run?.id ?? '');

    const offered = await ask('GET', '/jobs/sync');
    const filled = await ask('GET', `/jobs/sync?from=${id}`);
    const gone = await ask('GET', '/jobs/sync?from=sync!nothing');
    const foreign = await ask('GET', '/jobs/sync?from=other!nothing');

    expect(offered.text).toContain(`href="/jobs/sync?from=${id}"`);
    expect(offered.text).toContain('<details id="run-now" class="fold" hx-morph-skip name="fold">');
    expect(filled.text).toContain('hx-morph-skip open>');
    expect(filled.text).toMatch(/name="input\.shops"[^>]*>\noslo\nrome<\/textarea>/);
    expect(words(gone)).toContain('The run that it was to be filled in from is not on record');
    expect(words(foreign)).toContain('The run that it was to be filled in from is not on record');
  });

  test('is JSON where fields can not say what the earlier run was given', async () => {
    const { service, ask } = await serve([withInput()]);
    const odd = { shops: ['a line\nand another'], limit: 5 };
    await ask('POST', '/jobs/sync/runs', form({ as: 'json', json: JSON.stringify(odd) }));
    const [run] = await runsOf(service);

    const filled = await ask('GET', `/jobs/sync?from=${encodeURIComponent(run?.id ?? '')}`);
    const chosen = await ask('GET', '/jobs/sync?as=json');

    expect(JSON.parse(run?.input ?? '')).toEqual(odd);
    expect(words(filled)).toContain('"a line\\nand another"');
    expect(words(chosen)).toContain('{ "shops": [ "london" ], "limit": 5');
    expect(words(chosen)).toContain('Its schema { "type": "object"');
  });

  test('of a job without a schema is one text, and its button asks nothing', async () => {
    const { service, ask } = await serve([byHand({ run: ({ input }) => input as never })]);
    const page = await ask('GET', '/jobs/job');

    const bare = await ask('POST', '/jobs/job/runs', form({ key: valueOf(page, 'key') ?? '' }));
    await runsOf(service);
    const given = await ask('POST', '/jobs/job/runs', form({ as: 'json', json: '{"day": 3}' }));
    const wrong = await ask('POST', '/jobs/job/runs', form({ as: 'json', json: '{"day"' }));

    expect([bare.status, given.status, wrong.status]).toEqual([303, 303, 422]);
    expect(words(wrong)).toContain('The input is not JSON');
    expect(wrong.text).toContain('{&quot;day&quot;</textarea>');
    const inputs = new Set((await runsOf(service)).map(({ input }) => input));
    expect(inputs).toEqual(new Set([null, '{"day":3}']));
  });

  test('starts a run beside the one that is unfinished, where that is asked for', async () => {
    const { service, ask } = await serve([endless({ name: 'slow' })]);
    await ask('POST', '/jobs/slow/runs', form({}));

    const refused = await ask('POST', '/jobs/slow/runs', form({ as: 'json', json: '' }));
    const beside = await ask(
      'POST',
      '/jobs/slow/runs',
      form({ as: 'json', json: '', overlap: 'allow' }),
    );
    const page = await ask('GET', '/jobs/slow');

    expect(refused.status).toBe(409);
    expect(words(refused)).toMatch(/Not started: run "slow!\w+" is unfinished/);
    expect(beside.status).toBe(303);
    expect(page.text).toContain('class="acts busy"');
    expect(words(page)).toContain('running and 1 more run unfinished');
    expect(service.deps.runner.running).toBe(2);
  });

  test('answers a click by the page as it is then, narrowed down as it was', async () => {
    const { ask, url } = await serve([byHand({})]);
    const here = `${url}/jobs/job?state=problem&utm=1`;

    const answer = await ask(
      'POST',
      '/jobs/job/runs',
      form({}, { ...HTMX, 'HX-Current-URL': here }),
    );

    expect(answer.status).toBe(201);
    expect(words(answer)).toMatch(/^job: a run has started. Look at it/);
    expect(answer.text).toContain('<hx-partial hx-target="#page" hx-swap="innerMorph">');
    expect(answer.text).toContain('<option value="problem" selected>');
    expect(answer.text).not.toContain('<tr id="run-');
  });
});

describe('what no form of the page sends is refused', () => {
  test.each([
    ['JSON', { body: '{}', headers: { 'Content-Type': 'application/json' } }, 415],
    ['a long form', form({ json: 'x'.repeat(70_000) }), 413],
    ['a field twice', form({}), 400],
    ['a key of its own', form({ key: '../x' }), 400],
    ['another site', form({}, { 'Sec-Fetch-Site': 'cross-site' }), 403],
  ])('%s', async (what, init, status) => {
    const { service, ask } = await serve([byHand({})]);
    const sent = what === 'a field twice' ? { ...init, body: 'as=json&as=fields' } : init;

    const answer = await ask('POST', '/jobs/job/runs', sent);

    expect(answer.status).toBe(status);
    expect(await runsOf(service)).toEqual([]);
  });
});

describe('a pause', () => {
  test('has its note and its end, is told on the page, and is taken back', async () => {
    const { service, ask } = await serve([job({})]);

    const paused = await ask(
      'POST',
      '/jobs/job/pause',
      form({ note: ' the disk is full ', lasts: '8h' }),
    );
    const page = await ask('GET', '/jobs/job');
    await service.clock.advance(5000);
    const resumed = await ask('POST', '/jobs/job/resume', form({}));
    const after = await ask('GET', '/jobs/job');

    expect(paused.status).toBe(303);
    expect(words(page)).toContain('Paused now, until 2026-03-01 08:00:00 UTC, in 8 hours .');
    expect(words(page)).toContain('the disk is full');
    expect(words(page)).toContain('in 1 minute paused');
    expect(page.text).toContain('action="/jobs/job/resume"');
    expect(page.text).toContain('id="change-pause"');
    expect(valueOf(page, 'note')).toBe('the disk is full');
    expect(resumed.status).toBe(303);
    expect(words(after)).not.toContain('Paused');
    expect(words(after)).toMatch(/resumed the job .* paused the job/);
    expect((await service.store.read('job')).record?.paused).toBeNull();
  });

  test.each([
    [{ lasts: '' }, null],
    [{ lasts: '1h' }, '01:00:00'],
    [{ lasts: 'until', until: '2026-03-01T06:30' }, '06:30:00'],
  ])('%j ends at %s', async (sent, end) => {
    const { service, ask } = await serve([job({})]);

    await ask('POST', '/jobs/job/pause', form(sent));

    const until = end === null ? null : noon(end);
    expect((await service.store.read('job')).record?.paused?.until).toBe(until);
  });

  test.each([
    [{ lasts: 'until' }, 'choose a date and a time, in UTC'],
    [{ lasts: 'until', until: '2026-02-30T06:30' }, 'choose a date and a time, in UTC'],
    [{ lasts: 'until', until: '2026-02-28T23:59' }, 'lies in the past'],
    [{ lasts: '9y' }, 'choose how long'],
    [{ lasts: '', note: 'x'.repeat(501) }, 'has more than 500 characters'],
  ])('%j is refused, under its field', async (sent, why) => {
    const { service, ask } = await serve([job({})]);

    const answer = await ask('POST', '/jobs/job/pause', form({ note: 'why', ...sent }));

    expect(answer.status).toBe(422);
    expect(words(answer)).toContain(why);
    expect(answer.text).toContain('<details id="pause" class="fold" hx-morph-skip open>');
    expect((await service.store.read('job')).record?.paused).toBeNull();
  });
});
