import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixture, startServer, tempFolder, until, type RunJson } from './server.ts';

/** Each handler in its own server would prove less: here one's mistake could hurt the others. */
describe('a handler that does what it should not', () => {
  test('is told on its run, and keeps nothing else from running', async () => {
    const server = await startServer({
      PUNCTUAL_DB: join(tempFolder(), 'punctual.db'),
      PUNCTUAL_JOBS: fixture('naughty.ts'),
    });
    const names = ['stray-rejection', 'stray-at-the-end', 'stray-exception', 'exits'];
    const more = ['exits-later', 'exits-and-catches', 'throws-after-abort'];
    const listeners = ['listener-throws', 'listener-exits'];
    const ended = await Promise.all(
      [...names, ...more, ...listeners].map((name) => server.trigger(name, 60)),
    );
    const told = Object.fromEntries(
      ended.map((run) => [run.job, `${run.state}: ${run.error?.message}`]),
    );

    expect(told).toEqual({
      'stray-rejection':
        'failed: a promise was rejected and nobody awaited it: nobody waits for me',
      'stray-at-the-end': 'failed: a promise was rejected and nobody awaited it: left behind',
      'stray-exception': 'failed: an exception was thrown in a callback: from a timer',
      exits: 'failed: not allowed here: the handler called process.exit(7)',
      'exits-later': 'failed: not allowed here: the handler called process.exit(7)',
      'exits-and-catches': 'failed: not allowed here: the handler called process.exit(7)',
      'throws-after-abort': 'timed_out: late',
      'listener-throws': 'timed_out: an exception was thrown in a callback: in the listener',
      'listener-exits': 'timed_out: not allowed here: the handler called process.exit(9)',
    });
    expect((await server.trigger('good', 60)).output).toBe('fine');

    await strayAfterTheEnd(server);
    await blocking(server);
    await neverSettling(server);
    await logIsBounded(server);
    expect((await server.trigger('good', 60)).state).toBe('succeeded');
  }, 120_000);
});

type Server = Awaited<ReturnType<typeof startServer>>;

async function strayAfterTheEnd(server: Server): Promise<void> {
  const { id } = await server.trigger('stray-after-the-end', 60);

  const run = await until(async () => {
    const found = await server.json<RunJson>(`/api/v1/runs/${encodeURIComponent(id)}`);
    return found.lateResult !== null && found;
  }, 20_000);

  expect([run.state, run.output]).toEqual(['succeeded', 'ended well']);
  expect(run.lateResult?.error?.message).toMatch(/nobody awaited it: much later/);
}

async function blocking(server: Server): Promise<void> {
  const run = await server.trigger('blocks', 60);

  expect(run.state).toBe('succeeded');
  const notes = run.notes.map(({ text }) => text).join('\n');
  expect(notes).toMatch(/blocked the event loop for [1-9]\d*(\.\d)? s/);
}

async function neverSettling(server: Server): Promise<void> {
  const { id } = await server.trigger('never', 0);
  // Not the only note, where a busy machine held the loop up.
  const isOverdue = /longer than its timeout of 300 ms, but its handler has not/;

  const run = await until(async () => {
    const found = await server.json<RunJson>(`/api/v1/runs/${encodeURIComponent(id)}`);
    return found.notes.some(({ text }) => isOverdue.test(text)) && found;
  }, 30_000);

  expect(run.state).toBe('running');
  const again = await fetch(`${server.url}/api/v1/jobs/never/runs`, { method: 'POST' });
  expect(again.status).toBe(409);
}

interface LogPage {
  readonly lines: readonly { readonly dropped?: number; readonly text?: string }[];
  readonly next: string;
  readonly ended: boolean;
}

async function logIsBounded(server: Server): Promise<void> {
  const { id } = await server.trigger('chatty', 60);

  const path = `/api/v1/runs/${encodeURIComponent(id)}/log?limit=10000`;
  const lines: { dropped?: number; text?: string }[] = [];
  for (let [cursor, ended] = ['', false]; !ended;) {
    const page = await server.json<LogPage>(path + cursor);
    lines.push(...page.lines);
    cursor = `&cursor=${page.next}`;
    ended = page.ended;
  }

  expect(lines[0]?.dropped).toBeGreaterThan(1000);
  expect(lines.at(-1)?.text).toBe('the last line');
}
