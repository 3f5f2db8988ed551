import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { fixture, startServer, tempFolder, until, type ServerProcess } from './server.ts';

const LEASE_MS = 2000;

function world(more: Readonly<Record<string, string>> = {}) {
  const folder = tempFolder();
  const env = {
    PUNCTUAL_DB: join(folder, 'punctual.db'),
    PUNCTUAL_JOBS: fixture('isolated.ts'),
    PUNCTUAL_LEASE_MS: `${LEASE_MS}`,
    PUNCTUAL_TICK_MS: '1000',
    TEST_FOLDER: folder,
    TMPDIR: folder,
    ...more,
  };
  const path = join(folder, 'journal');
  const journal = (): string[] =>
    existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  return { env, journal };
}

const cancel = (server: ServerProcess, id: string): Promise<unknown> =>
  server.json(`/api/v1/runs/${encodeURIComponent(id)}/cancel`, { method: 'POST' });

const logOf = async (server: ServerProcess, id: string): Promise<string[]> => {
  const path = `/api/v1/runs/${encodeURIComponent(id)}/log?limit=10000`;
  const { lines } = await server.json<{ lines: { text?: string }[] }>(path);
  return lines.flatMap(({ text }) => text ?? []);
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('an isolated handler', () => {
  test('has the same context as any other, in a thread that is not the main one', async () => {
    const { env } = world();
    const server = await startServer(env);

    const run = await server.trigger('tells', 20);

    expect(run).toMatchObject({ state: 'succeeded', progress: { done: 3, total: 4 } });
    expect(run.output).toMatchObject({
      job: 'tells',
      runId: run.id,
      idempotencyKey: run.id,
      attempt: 1,
      trigger: 'manual',
      aborted: false,
      isMainThread: false,
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
    });
    const { folder } = run.output as { folder: string };
    expect(folder).toContain('punctual-scratch');
    expect(existsSync(folder)).toBe(false);
    expect(await logOf(server, run.id)).toEqual(['one line', 'another']);
  });

  test('that crashes or takes too much memory fails its run, and nothing else', async () => {
    const { env } = world();
    const server = await startServer(env);
    const names = ['exits', 'throws-later', 'forgets-a-promise', 'hoards', 'grabs', 'buffers'];
    const all = [...names, 'segfaults', 'only-here'];

    const ended = await Promise.all(all.map((name) => server.trigger(name, 60)));
    const after = await server.trigger('tells', 20);

    const told = ended.map(({ job, state, error }) => [job, `${state}: ${error?.message}`]);
    const tooMuch = expect.stringMatching(/^failed: .*memory .*64 MiB.*isolate\.memoryMb/);
    expect(Object.fromEntries(told)).toEqual({
      exits: 'failed: its handler called process.exit(3)',
      'throws-later': 'failed: an exception was thrown in a callback: too late to be caught',
      'forgets-a-promise': 'failed: a promise was rejected and nobody awaited it: nobody awaits me',
      hoards: tooMuch,
      grabs: tooMuch,
      buffers: tooMuch,
      segfaults: "failed: its worker's process was ended by SIGSEGV",
      'only-here': expect.stringMatching(/failed: the registry .*: it has no job "only-here"/),
    });
    expect(after.state).toBe('succeeded');
    expect(server.child.exitCode).toBe(null);
  }, 90_000);

  test('that does not stop is ended by force 5 s after its timeout or cancel', async () => {
    const { env } = world();
    const server = await startServer(env);
    const names = ['spins-for-ever', 'in-a-call', 'deaf', 'looks'];
    const [spins, inCall, deaf, looks] = await Promise.all(
      names.map((name) => server.trigger(name, 0)),
    );
    await until(async () => (await logOf(server, looks!.id)).length > 0, 10_000);
    await Promise.all([cancel(server, deaf!.id), cancel(server, looks!.id)]);

    const ended = (id: string) =>
      until(async () => {
        const run = await server.run(id);
        return run.state !== 'running' && run;
      }, 20_000);
    const [looked, ...forced] = await Promise.all(
      [looks, spins, inCall, deaf].map((run) => ended(run!.id)),
    );

    // It never lets go of its thread, but it asks its signal.
    expect(looked).toMatchObject({ state: 'succeeded', output: 'saw cancelled' });
    expect(forced.map(({ state }) => state)).toEqual(['timed_out', 'timed_out', 'cancelled']);
    for (const { error } of forced) {
      expect(error?.message).toMatch(/; it had not stopped 5 s later, and was ended by force$/);
    }
    expect(forced[0]?.error?.message).toMatch(/^the attempt took longer than its timeout of/);
    const commands = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    expect(commands).not.toContain('sleep 1234');
  }, 60_000);

  test('that never yields for three leases keeps its lease, and its lines come through', async () => {
    const { env } = world();
    const server = await startServer(env);
    const { id } = await server.trigger('spins', 0);

    const before = await until(async () => {
      const lines = await logOf(server, id);
      return lines.length > 0 && lines;
    }, 10_000);
    const run = await until(async () => {
      const found = await server.run(id);
      return found.state !== 'running' && found;
    }, 20_000);

    expect(before).toEqual(['before']);
    expect(run).toMatchObject({ state: 'succeeded', output: 'done', notes: [] });
    expect(run.attempts).toEqual([expect.objectContaining({ outcome: 'succeeded' })]);
  }, 60_000);

  test('that says more than can be taken keeps the newest, and nobody waits for it', async () => {
    const { env } = world();
    const server = await startServer(env);

    const flood = server.trigger('floods', 60);
    const beside = await server.trigger('tells', 20);
    const run = await flood;

    expect(beside.state).toBe('succeeded');
    expect(run).toMatchObject({ state: 'succeeded', progress: { done: 300_000 } });
    const end = `/api/v1/runs/${encodeURIComponent(run.id)}/log?format=text`;
    const text = await (await fetch(server.url + end)).text();
    expect(text).toContain('line 300000');
  }, 90_000);

  test('is over when it has returned: what it left behind does not go on', async () => {
    const { env, journal } = world();
    const server = await startServer(env);

    const run = await server.trigger('leaves-much-behind', 20);
    const told = journal().length;
    await wait(100);

    expect(run.output).toBe('left');
    expect(journal()).toHaveLength(told);
    expect(await until(async () => server.output().includes('printed 499'), 5000)).toBe(true);
  });
});

describe('the end of the service', () => {
  test('when it is told to stop comes soon after 5 s, and gives back what was forced', async () => {
    const { env } = world();
    const first = await startServer(env);
    const { id } = await first.trigger('deaf-again', 0);
    await until(async () => (await logOf(first, id)).length > 0, 10_000);

    const asked = Date.now();
    const status = await first.end('SIGTERM');
    const tookMs = Date.now() - asked;
    const second = await startServer(env);
    const run = await until(async () => {
      const found = await second.run(id);
      return found.attempts.length > 1 && found;
    }, 10_000);

    expect(status).toBe(0);
    expect(tookMs).toBeGreaterThan(4900);
    expect(tookMs).toBeLessThan(15_000);
    expect(run.attempts.map(({ outcome }) => outcome)).toEqual(['interrupted', null]);
  }, 60_000);

  test('by SIGKILL is the end of its isolated handlers, too', async () => {
    const { env, journal } = world();
    const server = await startServer(env);
    await server.trigger('heartbeat', 0);
    const pid = await until(async () => Number(journal()[0]?.split(' ')[3]) || undefined, 10_000);

    await server.end('SIGKILL');

    expect(await until(async () => !isAlive(pid), 5000)).toBe(true);
  });

  test('by a standstill longer than the lease ends them before another attempt begins', async () => {
    const { env, journal } = world();
    const first = await startServer(env);
    const { id } = await first.trigger('heartbeat', 0);
    await until(async () => journal().length > 2, 10_000);

    const second = await startServer(env);
    first.child.kill('SIGSTOP');
    await until(async () => journal().filter((line) => line !== 'beat').length > 1, 20_000);
    const lines = journal();
    first.child.kill('SIGCONT');

    const run = await second.run(id);
    expect(run.attempts.map(({ outcome }) => outcome)).toEqual(['lost', null]);
    const pid = lines[0]?.split(' ')[3];
    expect(isAlive(Number(pid))).toBe(false);
  }, 60_000);
});

describe('a handler that is not isolated and blocks', () => {
  test('is told so, and what would help', async () => {
    const { env } = world({ PUNCTUAL_LEASE_MS: '9000' });
    const server = await startServer(env);

    const run = await server.trigger('blocks', 20);

    expect(run.notes.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^blocked the event loop for 2\.\d s: use isolate$/),
    ]);
  });

  test('for longer than its lease writes nothing more: its result is kept as late', async () => {
    const { env } = world({ TEST_BLOCK_MS: '6000' });
    const first = await startServer(env);
    const second = await startServer(env);
    const { id } = await first.trigger('blocks', 0);

    const lost = await until(async () => {
      const found = await second.run(id);
      return found.state === 'lost' && found;
    }, 20_000);
    const late = await until(async () => {
      const found = await second.run(id);
      return found.lateResult !== null && found;
    }, 20_000);

    expect(late).toMatchObject({ state: 'lost', attempts: lost.attempts, output: null });
    expect(late.lateResult).toMatchObject({ outcome: 'succeeded', output: 'blocked' });
    expect(late.lateResult?.notes).toEqual([
      expect.stringMatching(/^blocked the event loop for \d+(\.\d)? s: use isolate$/),
      expect.stringMatching(/^lines of its log that were not kept, its lease being lost: [23]$/),
    ]);
    expect(await logOf(second, id)).toEqual([]);
  }, 60_000);
});
