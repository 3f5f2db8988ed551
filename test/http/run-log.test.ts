import { describe, expect, test } from 'vitest';
import type { JobContext } from '../../server/core/job.ts';
import { logChunk } from '../builders.ts';
import { byHand } from '../service.ts';
import { cost, HTMX } from './client.ts';
import { FLUSH_MS, echo, pathOf, started, waiting } from './runs.ts';

describe('the log of a run', () => {
  const talks = byHand({
    name: 'talks',
    run: ({ log }: JobContext) => {
      for (let i = 0; i < 700; i += 1) log.debug(`step ${i}`);
      log.warn('slow', { page: 'Seven' });
      log.error('stopped');
    },
  });

  test('can be looked through by address alone, by text and by level', async () => {
    const { ask, run } = await started([talks], 'talks');

    const byText = await ask('GET', pathOf(run, '?text=sEVEN'));
    const byLevel = await ask('GET', pathOf(run, '?level=error'));
    const nothing = await ask('GET', pathOf(run, '?level=error&text=seven'));

    expect(byText.text.match(/<li /g)).toHaveLength(1);
    expect(byText.text).toContain('slow <code>');
    expect(byText.text).toContain('name="text" value="sEVEN"');
    expect(byLevel.text.match(/<li /g)).toHaveLength(1);
    expect(byLevel.text).toContain('<option value="error" selected>');
    expect(nothing.text).toContain('No line matches.');
  });

  test('goes on to earlier lines, with a page and without', async () => {
    const { ask, run } = await started([talks], 'talks');
    const page = await ask('GET', pathOf(run));
    const place = /before=([\d.]+)/.exec(page.text)?.[1];

    const part = await ask('GET', pathOf(run, `/log?before=${place}`), { headers: HTMX });
    const whole = await ask('GET', pathOf(run, `?before=${place}`));
    const alone = await ask('GET', pathOf(run, `/log?before=${place}`), { redirect: 'manual' });

    expect(page.text.match(/<li /g)).toHaveLength(500);
    expect(part.text.match(/<li /g)).toHaveLength(202);
    expect(part.text).toContain('<hx-partial hx-target="#log-earlier"');
    expect(part.text).not.toContain('<html');
    expect(whole.text.match(/<li /g)).toHaveLength(202);
    expect(whole.text).toContain('Newest lines');
    expect(alone.status).toBe(303);
    expect(alone.headers.get('location')).toBe(pathOf(run, `?before=${place}#log`));
  });

  test('brings a page only what is new, and stops when the run is over and all was sent', async () => {
    const { ask, run, service } = await started([waiting], 'waits');
    await service.clock.advance(FLUSH_MS);
    const ofPage = await ask('GET', pathOf(run));
    const next = (text: string): string => /\/log\?after=[\d.]+/.exec(text)?.[0] ?? 'nothing';
    const poll = (text: string) => ask('GET', pathOf(run, next(text)), { headers: HTMX });

    const early = await poll(ofPage.text);
    await ask('POST', `/api/v1/runs/${encodeURIComponent(run.id)}/cancel`);
    await service.clock.advance(FLUSH_MS);
    const last = await poll(ofPage.text);

    expect([early.status, early.text]).toEqual([204, '']);
    expect(
      last.text.match(/<li [^]*?<\/li>/g)?.map((li) => li.replaceAll(/<[^>]*>/g, ' ')),
    ).toEqual([expect.stringContaining('asked to stop: the run was cancelled')]);
    expect(last.text).toContain('<div id="log-poll"></div>');
    expect(next(last.text)).toBe('nothing');
  });

  test('of a run that waits is asked for, and read only when it has started', async () => {
    const slow = byHand({
      name: 'slow',
      overlap: 'queue',
      run: () => new Promise(() => undefined),
    });
    const { ask, service } = await started([slow], 'slow');
    await ask('POST', '/api/v1/jobs/slow/runs');
    const queued = (await service.runs()).find(({ state }) => state === 'queued');

    const page = await ask('GET', pathOf(queued!));
    const poll = await ask('GET', pathOf(queued!, '/log?after=0.0'), { headers: HTMX });

    expect(cost(page)).toBe('2 store reads, 2 records');
    expect(page.text).toContain('/log?after=0.0');
    expect(poll.status).toBe(204);
  });

  test('can be saved as text, one line an event, whatever is in it', async () => {
    const nasty = byHand({
      name: 'nasty',
      run: ({ log }: JobContext) => log.warn('two\nlines \u001b[31m', { a: 1 }),
    });
    const { ask, run } = await started([nasty], 'nasty');

    const { text, headers } = await ask('GET', pathOf(run, '/log.txt'));

    expect(text).toMatch(/^\S+Z warn {2}two\\nlines \\u001b\[31m \{"a":1\}\n$/);
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-disposition')).toMatch(
      /^attachment; filename="nasty-[a-z0-9]+\.log\.txt"$/,
    );
  });

  test('can be saved as JSON lines, with marks for what is missing and for attempts', async () => {
    const { ask, run, service } = await started([echo], 'echo');
    const more = { runId: run.id, n: 1_000_000, first: 7 };
    await service.store.appendLog(logChunk(more));

    const { text } = await ask('GET', pathOf(run, '/log.ndjson'));
    const events = text.trim().split('\n');

    expect(events.map((event) => JSON.parse(event))).toEqual([
      { attempt: 1, at: expect.any(String), level: 'info', text: 'done' },
      { attempt: 2, dropped: 7 },
      { attempt: 2, at: expect.any(String), level: 'info', text: 'hello' },
    ]);
  });

  test('is saved whole when it is longer than any page', async () => {
    const { ask, run, service } = await started([echo], 'echo');
    for (let n = 1; n <= 120; n += 1) {
      await service.store.appendLog(logChunk({ runId: run.id, n, first: n }));
    }

    const { text } = await ask('GET', pathOf(run, '/log.txt'));

    expect(text.trim().split('\n')).toHaveLength(121);
  });
});

describe('input and output', () => {
  test('can be saved, and where there is none it says so', async () => {
    const any = byHand({ name: 'any', run: () => ({ sent: 12 }) });
    const { ask, run } = await started([any], 'any');

    const output = await ask('GET', pathOf(run, '/output.json'));
    const input = await ask('GET', pathOf(run, '/input.json'));

    expect(output.body).toEqual({ sent: 12 });
    expect(output.headers.get('content-disposition')).toMatch(/^attachment/);
    expect(input.status).toBe(404);
  });
});
