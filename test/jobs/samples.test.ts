import { createServer } from 'node:http';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { checkUrls } from '../../jobs/check-urls.ts';
import { backupStore } from '../../jobs/backup-store.ts';
import { canary, sing } from '../../jobs/canary.ts';
import { command } from '../../jobs/command.ts';
import registry from '../../jobs/index.ts';
import { pruneHistory } from '../../jobs/prune-history.ts';
import { selfAudit } from '../../jobs/self-audit.ts';
import { invoke } from '../../server/core/handler.ts';
import { validateInput } from '../../server/core/input.ts';
import type { Job, JobContext, JobLog } from '../../server/core/job.ts';
import { readSelfAudit, type SelfAudit } from '../../server/core/self-audit.ts';
import { openSqliteStore } from '../../server/stores/sqlite.ts';
import { job, openService, tempDb } from '../service.ts';
import { realClock, testClock } from '../test-clock.ts';

const STORE = { leaseMs: 90_000, regressionMs: 5000 } as const;
const before = { ...process.env };
afterEach(() => {
  process.env = { ...before };
});

/** A context made by hand: a handler is a plain function. */
function context(more: Partial<JobContext> = {}) {
  const lines: string[] = [];
  const steps: string[] = [];
  const write = (text: string): void => void lines.push(text);
  const log: JobLog = Object.assign(write, {
    debug: write,
    info: write,
    warn: write,
    error: write,
  });
  const made = {
    input: undefined,
    scheduledAt: Date.now(),
    signal: new AbortController().signal,
    log,
    progress: (done: number, total?: number) => void steps.push(`${done}/${total}`),
    fetch,
    fence: 7,
    idempotencyKey: 'run',
    traceparent: '',
    ...more,
  } as JobContext;
  return { made, lines, steps };
}

async function runJob(one: Job, input: unknown, more: Partial<JobContext> = {}) {
  const { made, lines, steps } = context(more);
  const output = await invoke(one.run, {
    ...made,
    input: await validateInput(one, input, realClock),
  });
  return { output, lines, steps };
}

test('the registry holds the five samples, and nothing is wrong with them', () => {
  expect(registry.map(({ name }) => name)).toEqual([
    'canary',
    'check-urls',
    'backup-store',
    'prune-history',
    'self-audit',
  ]);
  expect(registry.flatMap(({ problems }) => problems)).toEqual([]);
});

test('the canary measures how late it was', async () => {
  const folder = dirname(tempDb());
  const { made } = context({ scheduledAt: Date.now() - 1500, scratch: async () => folder });

  const { latenessMs } = await sing(made);

  expect(latenessMs).toBeGreaterThanOrEqual(1500);
  expect(canary.schedule).toBe('* * * * *');
});

describe('check-urls', () => {
  async function site(): Promise<string> {
    let [now, most] = [0, 0];
    const server = createServer((req, res) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now--;
        const to = /^\/to\?(.*)/.exec(req.url ?? '')?.[1];
        res.statusCode = req.url === '/bad' ? 500 : to === undefined ? 200 : 302;
        if (to !== undefined) res.setHeader('Location', decodeURIComponent(to));
        res.end(String(most));
      }, 20);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  }

  test('fetches every target, one line each, a few at a time', async () => {
    const url = await site();
    const targets = Array.from({ length: 12 }, (_, n) => `${url}/${n}`);
    process.env['CHECK_URLS'] = targets.join();

    const { output, lines, steps } = await runJob(checkUrls, { targets, parallel: 3 });
    const most = Number(await (await fetch(url)).text());

    expect(output).toEqual({ checked: 12 });
    expect(lines.filter((line) => /\/\d+ 200 in \d+ ms$/.test(line))).toHaveLength(12);
    expect(steps.at(-1)).toBe('12/12');
    expect(most).toBeLessThanOrEqual(3);
  });

  test('fails naming those that did not answer, after it has tried them all', async () => {
    const url = await site();
    const targets = [`${url}/bad`, `${url}/good`, 'http://127.0.0.1:1/'];
    process.env['CHECK_URLS'] = targets.join();

    const running = runJob(checkUrls, { targets });

    await expect(running).rejects.toThrow(`2 of 3 did not answer: http://127.0.0.1:1/, ${url}/bad`);
  });

  test('by default asks the health page of this service', async () => {
    process.env['PORT'] = '9123';

    expect(await validateInput(checkUrls, undefined, realClock)).toMatchObject({
      targets: ['http://127.0.0.1:9123/healthz'],
    });
  });

  test('asks nothing in a private network that the configuration does not list', async () => {
    const url = await site();
    const listed = `${url}/listed`;
    process.env['CHECK_URLS'] = listed;
    const targets = [listed, `${url}/other`, 'http://localhost:1/', 'http://169.254.169.254/x'];
    const { made, lines } = context();
    const input = (await validateInput(checkUrls, { targets }, realClock)) as { targets: string[] };

    const running = invoke(checkUrls.run, { ...made, input });

    await expect(running).rejects.toThrow(`3 of 4 did not answer: `);
    const said = (target: string | undefined): string =>
      lines.find((line) => line.startsWith(`${target} `)) ?? '';
    expect(said(listed)).toMatch(/ 200 in \d+ ms$/);
    expect(said(targets[1])).toContain(
      'Refused: 127.0.0.1 is this machine itself, and is not asked: ' +
        'of those, only what CHECK_URLS lists is',
    );
    expect(said(targets[2])).toContain('Refused: "localhost" leads to ');
    expect(said(targets[3])).toMatch(/where a cloud hands out credentials, and is not asked$/);
  });

  test('follows a redirect only to where it might have been sent at once', async () => {
    const url = await site();
    const [inside, outside] = [`${url}/to?${url}/listed`, `${url}/to?${url}/hidden`];
    const round = `${url}/to?${encodeURIComponent('/to?/listed')}`;
    process.env['CHECK_URLS'] = [inside, outside, `${url}/listed`].join();

    const { output } = await runJob(checkUrls, { targets: [inside] });

    expect(output).toEqual({ checked: 1 });
    await expect(runJob(checkUrls, { targets: [outside] })).rejects.toThrow('1 of 1');
    await expect(runJob(checkUrls, { targets: [round] })).rejects.toThrow('1 of 1');
  });

  test('refuses what is no URL', async () => {
    await expect(validateInput(checkUrls, { targets: ['nope'] }, realClock)).rejects.toThrow(
      '/input/targets/0: not a URL',
    );
  });
});

describe('backup-store', () => {
  test('copies the database, checks the copy, and keeps only so many', async () => {
    const path = tempDb();
    const service = await openService([job({})], { path, clock: testClock(Date.now()) });
    await service.clock.advance(60_000);
    await service.timer.stop();
    process.env['PUNCTUAL_DB'] = path;

    const outputs = [];
    for (let night = 1; night <= 4; night++) {
      const scheduledAt = Date.UTC(2026, 2, night, 2);
      outputs.push((await runJob(backupStore, { keep: 2 }, { scheduledAt })).output);
    }

    const folder = join(dirname(path), 'backups');
    expect(readdirSync(folder)).toEqual([
      'punctual-20260303T020000Z.db',
      'punctual-20260304T020000Z.db',
    ]);
    expect(outputs.at(-1)).toMatchObject({ runs: expect.any(Number), bytes: expect.any(Number) });
    const copy = new DatabaseSync(join(folder, 'punctual-20260304T020000Z.db'), { readOnly: true });
    expect(copy.prepare('SELECT count(*) AS jobs FROM jobs').get()).toMatchObject({ jobs: 1 });
    copy.close();
  });
});

test('prune-history deletes what is old, job by job, from the store of the service', async () => {
  const path = tempDb();
  const clock = testClock(realClock.wall() - 10 * 86_400_000);
  const service = await openService([job({ schedule: '0 0 * * *' })], { path, clock });
  const { wakeAll } = await import('../../server/core/wake.ts');
  for (let day = 1; day <= 9; day++) {
    await clock.advance(86_400_000);
    await wakeAll(service.deps, { aheadMs: 0, thorough: true });
    await service.settle();
  }
  await service.store.close();
  process.env['PUNCTUAL_DB'] = path;

  const { output, steps } = await runJob(pruneHistory, { maxAgeDays: 4 });

  expect(output).toMatchObject({ jobs: 1, deleted: expect.any(Number) });
  const { deleted } = output as { deleted: number };
  expect(deleted).toBeGreaterThanOrEqual(4);
  expect(deleted).toBeLessThanOrEqual(6);
  expect(steps).toEqual(['1/1']);
});

describe('self-audit', () => {
  async function lived(): Promise<string> {
    const path = tempDb();
    const clock = testClock(Date.UTC(2026, 2, 1));
    const service = await openService([job({ schedule: '0 0 * * *' })], { path, clock });
    const { wakeAll } = await import('../../server/core/wake.ts');
    for (let day = 1; day <= 9; day++) {
      await clock.advance(86_400_000);
      await wakeAll(service.deps, { aheadMs: 0, thorough: true });
      await service.settle();
    }
    await service.store.close();
    process.env['PUNCTUAL_DB'] = path;
    return path;
  }
  const kept = async (path: string) => {
    const store = openSqliteStore({ path, clock: realClock, ...STORE, log: () => undefined });
    const found = await readSelfAudit(store, 'default');
    await store.close();
    return found;
  };

  test('finds every occurrence on record, and keeps since when it does', async () => {
    const path = await lived();

    const { output, lines } = await runJob(selfAudit, undefined);
    const first = await kept(path);
    await runJob(selfAudit, undefined);
    const second = await kept(path);

    expect(output).toMatchObject({ jobs: 1, occurrences: 9, gaps: 0, firstGaps: [] });
    expect(first).toEqual(output);
    expect(first).toMatchObject({ lookedBackTo: null, cleanSince: first?.at });
    expect(second?.cleanSince).toBe(first?.at);
    expect(second?.at).toBeGreaterThanOrEqual(first?.at ?? Infinity);
    expect(lines.at(-1)).toBe('1 jobs, 9 occurrences in 9 runs and 0 ranges');
  });

  test('fails naming the first gaps, and keeps them', async () => {
    const path = await lived();
    await runJob(selfAudit, undefined);
    const db = new DatabaseSync(path);
    db.exec("DELETE FROM runs WHERE at < unixepoch('2026-03-07') * 1000");
    db.close();

    const running = runJob(selfAudit, undefined);

    await expect(running).rejects.toThrow(
      '5 unexplained gaps: job 20260302T000000Z: no record says what became of it; ' +
        'job 20260303T000000Z: no record says what became of it; ' +
        'job 20260304T000000Z: no record says what became of it; and 2 more',
    );
    expect(await kept(path)).toMatchObject({ gaps: 5, cleanSince: null });
    expect((await kept(path))?.firstGaps).toHaveLength(5);
  });

  test('looks no further back than it is told to', async () => {
    await lived();
    const days = Math.ceil((Date.now() - Date.UTC(2026, 2, 8, 12)) / 86_400_000);

    const { output } = await runJob(selfAudit, { days });

    const { occurrences, lookedBackTo, at } = output as SelfAudit;
    expect(occurrences).toBeGreaterThanOrEqual(1);
    expect(occurrences).toBeLessThanOrEqual(3);
    expect(lookedBackTo).toBe(at - days * 86_400_000);
  });

  test.for([null, 7, [], {}, { at: 'x' }, { at: 1e300, jobs: 1, occurrences: 1 }])(
    'where somebody put %o in its place, nothing is known',
    async (value) => {
      const { store } = await openService([job({})]);
      await store.writeMeta('audit:default', value, undefined);

      expect(await readSelfAudit(store, 'default')).toBeUndefined();
    },
  );
});

describe('a line of an old crontab', () => {
  test('keeps what it prints, and knows its run', async () => {
    const { made, lines } = context();

    const output = await command('echo "run $PUNCTUAL_RUN_ID"; echo oops >&2')(made);

    expect(output).toEqual({ status: 0 });
    expect(lines.toSorted()).toEqual(['oops', 'run run']);
  });

  test('fails by its exit status, with the last of its complaints', async () => {
    const { made } = context();

    await expect(command('echo no such table >&2; exit 3')(made)).rejects.toThrow(
      /exited with status 3\nno such table/,
    );
  });

  test('is ended with all that it started when it is asked to stop', async () => {
    const abort = new AbortController();
    const { made, lines } = context({ signal: abort.signal });
    const running = command('sh -c "echo $$; sleep 60" & wait')(made);
    await expect.poll(() => lines.length).toBe(1);

    abort.abort(new Error('timeout'));

    await expect(running).rejects.toThrow('timeout');
    await expect.poll(() => isRunning(Number(lines[0]))).toBe(false);
  });
});

function isRunning(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
