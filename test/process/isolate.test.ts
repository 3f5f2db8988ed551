import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch, type Launched } from './launch.ts';
import { fixture, startServer, tempFolder, until } from './server.ts';
import type { RunJson, ServerProcess } from './server.ts';

function world(more: Readonly<Record<string, string>> = {}, folder = tempFolder()) {
  const env = {
    PUNCTUAL_DB: join(folder, 'punctual.db'),
    PUNCTUAL_JOBS: fixture('isolated.ts'),
    PUNCTUAL_LEASE_MS: '6000',
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

type Api = Pick<ServerProcess, 'json' | 'trigger' | 'run'>;

const cancel = (server: Api, id: string): Promise<unknown> =>
  server.json(`/api/v1/runs/${encodeURIComponent(id)}/cancel`, { method: 'POST' });

const logOf = async (server: Api, id: string): Promise<string[]> => {
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

const endOf = (server: Api, id: string): Promise<RunJson> =>
  until(async () => {
    const run = await server.run(id);
    return !['queued', 'running'].includes(run.state) && run;
  }, 40_000);

/** Stops a server, unless it holds the database just then: nobody could write, nor begin again. */
function stopsFree({ child }: ServerProcess, path: string): boolean {
  child.kill('SIGSTOP');
  const db = new DatabaseSync(path);
  try {
    db.exec('BEGIN IMMEDIATE; ROLLBACK');
    return true;
  } catch {
    child.kill('SIGCONT');
    return false;
  } finally {
    db.close();
  }
}

const commands = (): string => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });

/** What is killed is gone a moment later, when it has its turn. */
const isGone = (command: string): Promise<boolean> =>
  until(async () => !commands().includes(command), 20_000);

describe('an isolated handler', () => {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-test-'));
  // As a tool does that is preloaded: it lets go of what its process hears its parent by.
  const NODE_OPTIONS = '--import=data:text/javascript,process.channel?.unref()';
  const { env, journal } = world({ NODE_OPTIONS }, folder);
  let started: Launched;
  let server: Api;
  let url: string;
  /** What takes its time goes on beside the other tests. */
  const begun = new Map<string, string>();

  beforeAll(async () => {
    started = launch(env);
    url = await started.url;
    const json = async <Type>(path: string, init?: RequestInit): Promise<Type> =>
      (await (await fetch(url + path, init)).json()) as Type;
    server = {
      json,
      run: (id) => json(`/api/v1/runs/${encodeURIComponent(id)}`),
      trigger: (job, seconds) =>
        json(`/api/v1/jobs/${job}/runs`, {
          method: 'POST',
          headers: { Prefer: `wait=${seconds}` },
        }),
    };
    const quick = ['returns-in-time', 'spins'];
    for (const job of [...quick, 'spins-for-ever', 'in-a-call', 'never-ends', 'deaf', 'looks']) {
      begun.set(job, (await server.trigger(job, 0)).id);
    }
  });

  afterAll(async () => {
    started.child.kill('SIGKILL');
    await started.ended;
    rmSync(folder, { recursive: true, force: true });
  });

  test('has the same context as any other, in a thread that is not the main one', async () => {
    const run = await server.trigger('tells', 60);

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
    const { folder: scratch } = run.output as { folder: string };
    expect(scratch).toContain('punctual-scratch');
    expect(existsSync(scratch)).toBe(false);
    expect(await logOf(server, run.id)).toEqual(['one line', 'another']);
  });

  test('that returns in time has succeeded, though its process ends only after that', async () => {
    let run = await endOf(server, begun.get('returns-in-time') ?? '');
    // It returns less than a second before its timeout, and a busy machine may not let it.
    for (let tries = 1; run.state === 'timed_out' && tries < 4; tries += 1) {
      run = await server.trigger('returns-in-time', 60);
    }

    expect(run).toMatchObject({ state: 'succeeded', output: 'in time', error: null });
  }, 120_000);

  test('that does not stop is ended by force 5 s after its timeout or cancel', async () => {
    const [deaf = '', looks = ''] = [begun.get('deaf'), begun.get('looks')];
    await until(async () => (await logOf(server, looks)).length > 0, 20_000);
    await Promise.all([cancel(server, deaf), cancel(server, looks)]);

    const names = ['looks', 'spins-for-ever', 'in-a-call', 'never-ends', 'deaf'];
    const [looked, ...forced] = await Promise.all(
      names.map((name) => endOf(server, begun.get(name) ?? '')),
    );

    // It never lets go of its thread, but it asks its signal.
    expect(looked).toMatchObject({ state: 'succeeded', output: 'saw cancelled' });
    const states = forced.map(({ state }) => state);
    expect(states).toEqual(['timed_out', 'timed_out', 'timed_out', 'cancelled']);
    for (const { error } of forced) {
      expect(error?.message).toMatch(/; it had not stopped 5 s later, and was ended by force$/);
    }
    expect(forced[0]?.error?.message).toMatch(/^the attempt took longer than its timeout of/);
    expect(await isGone('sleep 1234')).toBe(true);
  }, 60_000);

  test('that crashes or takes too much memory fails its run, and nothing else', async () => {
    const names = ['exits', 'throws-later', 'forgets-a-promise', 'hoards', 'grabs', 'buffers'];
    const odd = ['segfaults', 'only-here', 'throws-null-later', 'throws-much-later'];
    const all = [...names, ...odd, 'patches-json'];

    const ended = await Promise.all(all.map((name) => server.trigger(name, 60)));
    const after = await server.trigger('tells', 60);

    const told = ended.map(({ job, state, error }) => [job, `${state}: ${error?.message}`]);
    const tooMuch = expect.stringMatching(/^failed: .*memory .*64 MiB.*isolate\.memoryMb/);
    expect(Object.fromEntries(told)).toEqual({
      exits: 'failed: process.exit(3) was called by its handler, or a module of the jobs',
      'throws-later': 'failed: an exception was thrown in a callback: too late to be caught',
      'forgets-a-promise': 'failed: a promise was rejected and nobody awaited it: nobody awaits me',
      hoards: tooMuch,
      grabs: tooMuch,
      buffers: tooMuch,
      segfaults: "failed: its worker's process was ended by SIGSEGV",
      'only-here': expect.stringMatching(/failed: the registry .*: it has no job "only-here"/),
      'throws-null-later': 'failed: its worker failed: threw null',
      'throws-much-later': expect.stringMatching(/^.{4000,4100} \(4000019 characters\)$/),
      'patches-json': expect.stringMatching(/^failed: its worker said what can not be read/),
    });
    expect(after.state).toBe('succeeded');
    expect(started.child.exitCode).toBe(null);
    // What one ran that crashed has ended with it.
    expect(await isGone('sleep 2345')).toBe(true);
  }, 90_000);

  test('that says more than can be taken keeps the newest, and nobody waits for it', async () => {
    const flood = server.trigger('floods', 60);
    const beside = await server.trigger('tells', 60);
    const run = await flood;

    expect(beside.state).toBe('succeeded');
    expect(run).toMatchObject({ state: 'succeeded', progress: { done: 300_000 } });
    const end = `/api/v1/runs/${encodeURIComponent(run.id)}/log?format=text`;
    const text = await (await fetch(url + end)).text();
    expect(text).toContain('line 300000');
  }, 90_000);

  test('is over when it has returned: what it left behind does not go on', async () => {
    const [run, command] = await Promise.all([
      server.trigger('leaves-much-behind', 60),
      server.trigger('leaves-a-command', 60),
    ]);
    const told = journal().length;
    await wait(100);

    expect([run.output, command.state]).toEqual(['left', 'succeeded']);
    expect(journal()).toHaveLength(told);
    expect(await isGone('sleep 3456')).toBe(true);
    expect(await until(async () => started.output().includes('printed 499'), 30_000)).toBe(true);
  });

  // The last, as it takes so long: the others come to pass meanwhile.
  test('that never yields for three leases keeps its lease, and its lines come through', async () => {
    const id = begun.get('spins') ?? '';

    const before = await until(async () => {
      const lines = await logOf(server, id);
      return lines.length > 0 && lines;
    }, 30_000);
    const run = await endOf(server, id);

    expect(before).toEqual(['before']);
    expect(run).toMatchObject({ state: 'succeeded', output: 'done', notes: [] });
    expect(run.attempts).toEqual([expect.objectContaining({ outcome: 'succeeded' })]);
  }, 90_000);
});

describe('the end of the service', () => {
  test('when it is told to stop comes soon after 5 s, and gives back what was forced', async () => {
    // Long enough not to be lost meanwhile; nobody waits for its end.
    const { env } = world({ PUNCTUAL_LEASE_MS: '30000' });
    const first = await startServer(env);
    const { id } = await first.trigger('deaf-again', 0);
    await until(async () => (await logOf(first, id)).length > 0, 30_000);

    const asked = Date.now();
    const status = await first.end('SIGTERM');
    const tookMs = Date.now() - asked;
    const second = await startServer(env);
    const run = await until(async () => {
      const found = await second.run(id);
      return found.attempts.length > 1 && found;
    }, 30_000);

    expect(status).toBe(0);
    expect(tookMs).toBeGreaterThan(4900);
    expect(tookMs).toBeLessThan(30_000);
    expect(run.attempts.map(({ outcome }) => outcome)).toEqual(['interrupted', null]);
  }, 120_000);

  test('by SIGKILL is the end of its isolated handlers, too', async () => {
    const { env, journal } = world();
    const server = await startServer(env);
    await server.trigger('heartbeat', 0);
    const pid = await until(async () => Number(journal()[0]?.split(' ')[3]) || undefined, 30_000);

    await server.end('SIGKILL');

    expect(await until(async () => !isAlive(pid), 20_000)).toBe(true);
  });

  test('by a standstill longer than the lease ends them before another attempt begins', async () => {
    const { env, journal } = world();
    const first = await startServer(env);
    const { id } = await first.trigger('heartbeat', 0);
    const { id: watching } = await first.trigger('saw', 0);
    await until(async () => journal().length > 2, 30_000);
    await until(async () => (await logOf(first, watching)).length > 0, 30_000);

    const second = await startServer(env);
    await until(async () => stopsFree(first, env.PUNCTUAL_DB), 30_000);
    await until(async () => journal().filter((line) => line.includes(' 2 ')).length > 0, 40_000);
    const lines = journal();
    first.child.kill('SIGCONT');

    const run = await second.run(id);
    expect(run.attempts.map(({ outcome }) => outcome)).toEqual(['lost', null]);
    const pid = lines[0]?.split(' ')[3];
    expect(isAlive(Number(pid))).toBe(false);
    // A signal that is asked says so in time, though nobody is left to fire it.
    expect(lines).toContain('saw lease_lost');
  }, 150_000);
});

describe('a handler that is not isolated and blocks', () => {
  test('is told so, and what would help', async () => {
    const { env } = world({ PUNCTUAL_LEASE_MS: '30000' });
    const server = await startServer(env);

    const run = await server.trigger('blocks', 60);

    expect(run.notes.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^blocked the event loop for \d+(\.\d)? s: use isolate$/),
    ]);
  });

  test('for longer than its lease writes nothing more: its result is kept as late', async () => {
    const { env } = world({ PUNCTUAL_LEASE_MS: '2000', TEST_BLOCK_MS: '6000' });
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
