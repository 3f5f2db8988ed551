import { describe, expect, test } from 'vitest';
import type { Outcome, Run } from '../../server/core/records.ts';
import { runBody, type RunView } from '../../views/run.ts';
import { jobRecord, lease, retry } from '../builders.ts';
import { attempt, logShown, NOW, run, runView, textOf } from './builders.ts';

const ID = run().id;

const fragment = (given: Partial<Run>, more: Partial<RunView> = {}) =>
  runBody(runView(given, more));

const text = (given: Partial<Run>, more: Partial<RunView> = {}): string =>
  textOf(fragment(given, more));

const error = { name: 'TypeError', message: 'no answer', stack: 'TypeError\n  at x' };

/** A record whose only lease is the run's. */
const held = (change: Parameters<typeof lease>[0] = {}) =>
  jobRecord({
    active: { a: lease({ runId: ID, startedAt: NOW - 60_000, renewedAt: NOW, ...change }) },
  });

const atWork: Partial<Run> = {
  state: 'running',
  startedAt: NOW - 60_000,
  attempts: [attempt({ endedAt: null, outcome: null })],
};

describe('the banner', () => {
  test('of a failed run tells its error before anything else, then what it means', () => {
    const attempts = [attempt(), attempt({ n: 2 })];

    const said = text({ state: 'failed', error, attempts, startedAt: NOW - 60_000, endedAt: NOW });

    expect(said).toMatch(
      /^Runs \/ nightly-report .*?TypeError: no answer failed after 1 min, now /,
    );
    expect(said).toContain('It was tried 2 times, and is not tried again by itself.');
    expect(said).toContain('Run again Run again with changes TypeError at x');
  });

  test('says that the job has recovered, with the run that shows it', () => {
    const last = { runId: 'nightly-report@20261123T115900Z', state: 'succeeded', at: NOW } as const;
    const record = jobRecord({ last, streak: 1 });

    const { markup } = fragment({ state: 'failed', endedAt: NOW - 5000 }, { record });

    expect(textOf({ markup })).toContain('The job has recovered: its newest run succeeded now');
    expect(markup).toContain('href="/runs/nightly-report%4020261123T115900Z">newest run</a>');
  });

  test('says how often in a row the job has failed, and when it runs next', () => {
    const record = jobRecord({ last: { runId: ID, state: 'failed', at: NOW }, streak: -3 });

    const said = text({ state: 'failed' }, { record, nextAt: NOW + 600_000 });

    expect(said).toContain('The job has failed 3 times in a row. Its next run comes in 10 minutes');
  });

  test('of a range tells how many did not run, why, and what can be done', () => {
    const range = { from: NOW - 600_000, to: NOW, count: 11, atLeast: false };

    const { markup } = fragment({ state: 'missed', reason: 'outage', range });

    const said = textOf({ markup });
    expect(said).toContain(
      '11 occurrences did not run, from 2026-11-23 11:50:00 UTC to 2026-11-23 12:00:00 UTC',
    );
    expect(said).toContain('nothing was there to start them when due');
    expect(markup).toContain(
      'href="/jobs/nightly-report/backfill?from=2026-11-23T11%3A50&amp;to=2026-11-23T12%3A00"',
    );
    expect(said).not.toMatch(/Run again|Log|Attempts/);
  });

  test('links the run that kept an occurrence from running', () => {
    const range = { from: NOW, to: NOW, count: 1, atLeast: false };
    const cause = 'nightly-report@20261123T100000Z';

    const { markup } = fragment({ state: 'skipped', reason: 'overlap', range, cause });

    expect(markup).toContain('href="/runs/nightly-report%4020261123T100000Z"');
    expect(textOf({ markup })).toMatch(/the run of .*10:00 UTC had not ended/);
  });

  test('of a run that waits tells for whom', () => {
    const other = lease({ runId: 'nightly-report@20261123T100000Z' });
    const queue = ['a', 'b', ID].map((runId) => ({ runId, since: NOW }));

    const said = text(
      { state: 'queued', trigger: 'manual', createdAt: NOW - 5000 },
      { record: jobRecord({ active: { a: other }, queue }) },
    );

    expect(said).toContain('asked for 5 s ago It waits for its turn: the run of 2026-11-23 10:00');
    expect(said).toContain('2 runs waited longer, and will start first.');
  });

  test('of a run between two attempts tells when the next one starts', () => {
    const record = jobRecord({
      retries: [retry({ runId: ID, attempt: 2, notBefore: NOW + 90_000 })],
      spec: { ...jobRecord().spec, retry: { ...jobRecord().spec.retry, attempts: 3 } },
    });

    const said = text({ state: 'retry_wait', error, attempts: [attempt()] }, { record });

    expect(said).toContain('Attempt 2 of at most 3 starts in 1 min 30 s');
    expect(said).not.toContain('at x');
  });

  test('of a lost run warns that it may have done a part of its work', () => {
    const { markup } = fragment({ state: 'lost', error, startedAt: NOW });

    expect(textOf({ markup })).toContain('It may have done a part of its work');
    expect(markup).toContain('hx-confirm="This run may have done a part of its work.');
  });
});

describe('what can be done', () => {
  test('with an unfinished run is to cancel it; with a final one to run it again', () => {
    const running = fragment(atWork, { record: held() }).markup;
    const final = fragment({ state: 'succeeded' }, { record: jobRecord({ rev: 12 }) }).markup;

    expect(running).toContain('action="/runs/nightly-report%4020261123T110000Z/cancel"');
    expect(running).not.toContain('/reruns');
    expect(final).toContain('action="/runs/nightly-report%4020261123T110000Z/reruns"');
    expect(final).toContain(`name="key" value="rerun ${ID} 12"`);
    expect(final).toContain('href="/jobs/nightly-report?from=nightly-report%4020261123T110000Z"');
    expect(final).not.toContain('/cancel');
  });

  test('with a run whose job this build does not have is nothing', () => {
    expect(fragment({ state: 'failed' }, { known: false }).markup).not.toContain('/reruns');
  });

  test('while a run is told to stop is to wait; when it does not, to free its slot', () => {
    const cancel = { at: NOW - 10_000, why: 'cancelled', by: 'ada' } as const;

    const asked = fragment(atWork, { record: held({ cancel }) });
    const overdue = fragment(atWork, { record: held({ cancel: { ...cancel, at: NOW - 50_000 } }) });

    expect(textOf(asked)).toContain(
      'It was told to stop 10 s ago by ada. It ends when its handler',
    );
    expect(asked.markup).not.toMatch(/\/cancel"|\/free"/);
    expect(overdue.markup).toContain('action="/runs/nightly-report%4020261123T110000Z/free"');
    expect(overdue.markup).toContain('class="banner bad"');
    expect(textOf(overdue)).toContain('that one may then overlap whatever this handler still does');
  });

  test('is to free the slot also where a handler outstays its timeout', () => {
    const record = { ...held({ startedAt: NOW - 700_000 }) };

    expect(fragment(atWork, { record }).markup).toContain('/free"');
  });
});

describe('progress', () => {
  const quarter = { progress: { done: 3, total: 12 } };

  test('is a bar, a share, and when it is over at this pace', () => {
    const made = fragment(atWork, { record: held({ startedAt: NOW - 64_000 }), ...quarter });

    expect(made.markup).toContain('<progress value="0.25" max="1"');
    expect(textOf(made)).toContain('25 % 3 of 12, at this pace done in 3 minutes');
  });

  test('without a total, or without any, comes with what the job usually takes', () => {
    const record = held();

    const done = text(atWork, { record, usualMs: 90_000, progress: { done: 7, total: null } });
    const none = text(atWork, { record, usualMs: 90_000 });
    const over = text(atWork, { record, usualMs: 30_000 });

    expect(done).toContain('7 done. It usually takes 1 min 30 s, so it should be over in 30 s');
    expect(none).toContain('It usually takes 1 min 30 s, so it should be over in 30 s');
    expect(over).toContain('It usually takes 30 s, so it should have been over 30 s ago');
  });

  test('of a run that is over says nothing of its end', () => {
    const said = text({ state: 'failed' }, { usualMs: 90_000, ...quarter });

    expect(said).toContain('25 % 3 of 12');
    expect(said).not.toMatch(/usually|pace/);
  });

  test('that makes no sense stays within the bar', () => {
    const { markup } = fragment(atWork, { record: held(), progress: { done: 9, total: 3 } });

    expect(markup).toContain('<progress value="1" max="1"');
  });
});

describe('facts', () => {
  test('of a handler that goes on after its time tell when that was up', () => {
    const intime = fragment(atWork, { record: held({}) });
    const late = fragment(atWork, { record: held({ startedAt: NOW - 660_000 }) });

    expect(textOf(intime)).toContain('Times out in 9 min');
    expect(textOf(late)).toContain('Timed out 2026-11-23 11:59:00 UTC 1 minute ago');
  });

  const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`;

  test('that are not known are left out', () => {
    const bare = text({ state: 'queued', trigger: 'manual' });
    const full = text({ requestedBy: 'ada', traceparent });

    for (const label of ['Started', 'Requested by', 'Trace', 'Cause', 'Billed']) {
      expect(bare).not.toContain(label);
    }
    expect(full).toContain(`Requested by ada Trace ${TRACE}`);
  });

  test('have a link to the trace where Google Cloud has it', () => {
    const { markup } = fragment({ traceparent }, { project: 'acme-prod' });
    const odd = fragment({ traceparent: '00-"x-1-01' }, { project: 'acme-prod' });

    expect(markup).toContain(
      `href="https://console.cloud.google.com/traces/list?project=acme-prod&amp;tid=${TRACE}"`,
    );
    expect(odd.markup).not.toContain('console.cloud.google.com');
  });

  test('tell the run that this one repeats from the one that replaced it', () => {
    const cause = 'nightly-report@20261123T100000Z';

    const again = text({ trigger: 'manual', cause }, { repeats: true });
    const replaced = text({ state: 'cancelled', cause });

    expect(again).toContain('Repeats the run of 2026-11-23 10:00 UTC');
    expect(replaced).toContain('Replaced by the run of 2026-11-23 10:00 UTC');
    expect(replaced).toContain('The run of 2026-11-23 10:00 UTC replaced it.');
  });
});

describe('the runs around it', () => {
  const outcome = (id: string, state: Outcome['state']): Outcome => ({ id, state, at: NOW, ms: 1 });
  const recent = [outcome('a@1', 'failed'), outcome(ID, 'succeeded'), outcome('a@3', 'lost')];

  test('are linked with what they came to', () => {
    const { markup } = fragment({}, { record: jobRecord({ recent }) });

    expect(textOf({ markup })).toMatch(/← Earlier: failed now Later: lost now →/);
    expect(markup).toMatch(/rel="prev" href="\/runs\/a%401"[^]*rel="next" href="\/runs\/a%403"/);
  });

  test('are looked for where the record has forgotten them', () => {
    const { markup } = fragment({}, { record: jobRecord({ recent: [outcome('a@9', 'failed')] }) });

    expect(markup).toContain('href="/runs/nightly-report%4020261123T110000Z/earlier"');
    expect(markup).toContain('href="/runs/nightly-report%4020261123T110000Z/later"');
  });

  test('of one that still runs are the newest outcome, and none', () => {
    const { markup } = fragment(atWork, { record: jobRecord({ recent: recent.slice(0, 1) }) });

    expect(markup).toContain('rel="prev" href="/runs/a%401"');
    expect(markup).not.toContain('rel="next"');
  });
});

describe('the log', () => {
  const line = { at: NOW, level: 'warn', text: 'slow', fields: '{"ms":9}' } as const;

  test('has its lines in order, and marks between them', () => {
    const log = logShown([
      { kind: 'dropped', count: 1204 },
      { kind: 'attempt', n: 2 },
      { kind: 'line', line },
      { kind: 'line', line: { ...line, at: NOW + 86_400_000, fields: null } },
    ]);

    expect(text({}, { log })).toContain(
      '1,204 lines left out here Attempt 2 12:00:00.000 warn slow {"ms":9}' +
        ' 2026-11-24 12:00:00.000 warn slow',
    );
  });

  test('does not call lines lost that came too fast to be shown', () => {
    const log = logShown([{ kind: 'behind', count: 2516 }]);

    expect(text({}, { log })).toContain(
      '2,516 lines came too fast to be shown here: the download has them',
    );
  });

  test('asks for new lines from where it ends, while the run goes on', () => {
    const live = fragment(atWork, { log: logShown([], { seconds: 3, live: true }) }).markup;
    const final = fragment({}, { log: logShown([]) }).markup;

    expect(live).toContain('hx-get="/runs/nightly-report%4020261123T110000Z/log?after=0.0"');
    expect(final).not.toContain('log?after');
    expect(textOf({ markup: live })).toContain('No lines yet.');
    expect(textOf({ markup: final })).toContain('It logged nothing.');
  });

  test('is sent once: a page that has it keeps it', () => {
    const { markup } = fragment({}, { log: null });

    expect(markup).toContain('<section id="log" hx-morph-skip></section>');
  });

  test('has a link to earlier lines that keeps what is looked for', () => {
    const part = { entries: [], before: '7.120', after: '9.300' };

    const { markup } = fragment(
      {},
      { log: logShown([], { part, filter: { text: 'a&b', level: 'warn' } }) },
    );

    expect(markup).toContain('?before=7.120&amp;text=a%26b&amp;level=warn#log');
    expect(textOf({ markup })).toContain('Look farther back');
  });

  test('cuts a line that is too long, and says where it is whole', () => {
    const long = { ...line, text: '<'.repeat(8000), fields: 'f'.repeat(8000) };

    const { markup } = fragment({}, { log: logShown([{ kind: 'line', line: long }]) });

    expect(markup.length).toBeLessThan(12_000);
    expect(textOf({ markup })).toContain('cut: whole in the download');
  });
});

test('input and output are laid out as JSON; what is not JSON is shown as it is', () => {
  const { markup } = fragment({ input: '{"day":1}', output: '{"day":' });

  expect(markup).toContain('{\n  &quot;day&quot;: 1\n}');
  expect(markup).toContain('aria-label="Output">{&quot;day&quot;:</pre>');
});

test('a late result is shown apart from what the run was decided to be', () => {
  const lateResult = {
    attemptId: 'a',
    outcome: 'succeeded',
    output: '{"sent":12}',
    error: null,
    notes: [],
    at: NOW,
  } as const;

  const said = text({ state: 'lost', lateResult });

  expect(said).toMatch(/ lost .*Late result.*reported succeeded .*"sent": 12/);
});

test('the page stays within 150 KB, whatever stands in the run and in its log', () => {
  const nasty = '\u202e<"\u0000é'.repeat(2000);
  const bad = { name: nasty, message: nasty.slice(0, 4000), stack: nasty };
  const attempts = Array.from({ length: 200 }, (_, i) =>
    attempt({ n: i + 1, owner: nasty, error: bad }),
  );
  const notes = Array.from({ length: 50 }, () => ({ at: NOW, text: nasty }));
  const data = JSON.stringify({ [nasty]: nasty });
  const lateResult = {
    attemptId: 'a',
    outcome: 'failed',
    output: data,
    error: bad,
    notes: notes.map((note) => note.text),
    at: NOW,
  } as const;
  const given: Partial<Run> = { state: 'failed', error: bad, attempts, notes, lateResult };

  const { markup } = fragment({
    ...given,
    input: data,
    output: data,
    requestedBy: nasty,
    traceparent: `00-${nasty}`,
  });

  // The log takes 64 KB at most, and what stands around the page less than 8.
  expect(Buffer.byteLength(markup)).toBeLessThan(150_000 - 64_000 - 8000);
});
