import { expect, test } from 'vitest';
import type { Run } from '../../server/core/records.ts';
import type { LogView } from '../../server/core/summary.ts';
import { runFragment } from '../../views/run.ts';
import { NOW, noLog, run, textOf } from './builders.ts';

const fragment = (given: Partial<Run>, log: LogView = noLog) =>
  runFragment({ run: run(given), log, now: NOW, refreshSeconds: 3 });

const attempt = {
  n: 1,
  fence: 7,
  attemptId: 'a',
  owner: 'web-1',
  startedAt: NOW - 60_000,
  endedAt: NOW - 58_800,
  outcome: 'timed_out',
  error: null,
} as const;

test('a failed run tells its error before anything else', () => {
  const error = { name: 'TypeError', message: 'no answer', stack: 'TypeError\n  at x' };

  const text = textOf(fragment({ state: 'failed', error, trigger: 'manual' }));

  expect(text).toMatch(/^Jobs \/ nightly-report TypeError: no answer TypeError at x failed /);
});

test('an unfinished run asks for itself again and can be cancelled; a final one neither', () => {
  const running = fragment({ state: 'running' }).markup;
  const final = fragment({ state: 'succeeded' }).markup;

  expect(running).toContain('hx-get="/fragments/runs/nightly-report%4020261123T110000Z"');
  expect(running).toContain('hx-trigger="every 3s"');
  expect(running).toContain('action="/runs/nightly-report%4020261123T110000Z/cancel"');
  expect(final).not.toContain('hx-trigger');
  expect(final).not.toContain('/cancel');
});

test('facts that are not known are left out', () => {
  const bare = textOf(fragment({ state: 'queued', trigger: 'manual' }));
  const full = textOf(
    fragment({
      attempts: [attempt],
      requestedBy: 'ada',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    }),
  );

  for (const label of ['Attempts', 'Fencing token', 'Requested by', 'Trace id', 'Cause']) {
    expect(bare).not.toContain(label);
  }
  expect(full).toContain('Attempts 1 Fencing token 7 Requested by ada');
  expect(full).toContain('Trace id 4bf92f3577b34da6a3ce929d0e0e4736');
});

test('the cause is a link', () => {
  const { markup } = fragment({ state: 'skipped', cause: 'nightly-report@20261123T100000Z' });

  expect(markup).toContain('href="/runs/nightly-report%4020261123T100000Z"');
});

test('each attempt has its number, outcome, owner, duration and error', () => {
  const error = { name: 'Error', message: 'disk full', stack: null };

  const text = textOf(
    fragment({ attempts: [attempt, { ...attempt, n: 2, outcome: 'failed', error }] }),
  );

  expect(text).toContain('1 timed out 2026-11-23 11:59:00 UTC 1.2 s web-1');
  expect(text).toContain('2 failed 2026-11-23 11:59:00 UTC 1.2 s web-1 Error: disk full');
});

test('the log has its lines in order and a mark where some were left out', () => {
  const line = { at: NOW, level: 'warn', text: 'slow', fields: '{"ms":9}' } as const;

  const text = textOf(
    fragment(
      {},
      {
        entries: [
          { kind: 'dropped', count: 1204 },
          { kind: 'line', line },
        ],
        progress: null,
      },
    ),
  );

  expect(text).toContain('1,204 lines left out here 12:00:00 warn slow {"ms":9}');
});

test('progress is the newest one, with or without a total', () => {
  const half = fragment({ progress: { done: 1, total: 4 } }, { ...noLog, progress: null });
  const newer = fragment(
    { progress: { done: 1, total: 4 } },
    { entries: [], progress: { done: 3, total: null } },
  );

  expect(half.markup).toContain('<progress value="1" max="4">');
  expect(textOf(newer)).toContain('3 done');
});

test('input and output are laid out as JSON; what is not JSON is shown as it is', () => {
  const { markup } = fragment({ input: '{"day":1}', output: '{"day":' });

  expect(markup).toContain('{\n  &quot;day&quot;: 1\n}');
  expect(markup).toContain('<pre tabindex="0">{&quot;day&quot;:</pre>');
});

test('JSON of great depth does not swell the page', () => {
  const deep = '['.repeat(20_000) + ']'.repeat(20_000);

  expect(fragment({ output: deep }).markup.length).toBeLessThan(50_000);
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

  const text = textOf(fragment({ state: 'lost', lateResult }));

  expect(text).toMatch(/ lost Trigger.*Late result.*reported succeeded .*"sent": 12/);
});
