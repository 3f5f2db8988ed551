import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { byHand, job } from '../../service.ts';
import { serve } from '../../http/client.ts';
import { pastRuns, record } from '../../http/history.ts';
import { jobs, SCRIPT, startCalled } from './cli.ts';

const NOON = Date.parse('2026-03-01T12:00:00Z');

/** A service with a past, on 1 March 2026. */
async function withPast() {
  const served = await serve([
    job({ name: 'hourly', schedule: '0 * * * *', timeZone: 'Europe/London', tags: ['a', 'b'] }),
    byHand({ name: 'asked', run: ({ log }) => (log('said', { n: 1 }), log.warn('twice'), 7) }),
    byHand({ name: 'broken', run: () => Promise.reject(new Error('no disk left\nat all')) }),
  ]);
  const { service, ask, url } = served;
  await record(service, 'hourly', {
    runs: pastRuns('hourly', { count: 520, until: NOON, every: 3_600_000 }),
  });
  const start = async (name: string): Promise<string> => {
    const { body } = await ask('POST', `/api/v1/jobs/${name}/runs`);
    await service.idle();
    return body?.['id'];
  };
  const api = async (path: string) => (await ask('GET', `/api/v1${path}`)).body;
  return { ...served, named: { PUNCTUAL_URL: url }, api, start };
}

const linesOf = (out: string): string[] => out.trimEnd().split('\n');

describe('lists', () => {
  test('list has every job, its schedule in words, what comes and how the last one went', async () => {
    const { named, start, api } = await withPast();
    await start('broken');

    const { status, out } = await jobs(['list'], named);
    const { out: json } = await jobs(['jobs', 'list', '--json'], named);

    expect(status).toBe(0);
    expect(linesOf(out).map((line) => line.split(/ {2,}/))).toEqual([
      ['JOB', 'STATE', 'SCHEDULE', 'ZONE', 'IN WORDS', 'NEXT', 'LAST', 'TAGS'],
      ['asked', 'idle', '-', 'UTC', 'only by hand', '-', '-'],
      ['broken', 'idle', '-', 'UTC', 'only by hand', '-', 'failed'],
      [
        'hourly',
        'idle',
        '0 * * * *',
        'Europe/London',
        'Every hour',
        expect.stringMatching(/^2026-03-01T\d\d:00:00Z$/),
        '-',
        'a b',
      ],
    ]);
    expect(JSON.parse(json)).toEqual(await api('/jobs'));
  });

  test('runs shows the newest, one line each, filtered as asked', async () => {
    const { named, start } = await withPast();
    const id = await start('broken');

    const all = await jobs(['runs', '--limit', '2'], named);
    const failed = await jobs(['runs', '--state', 'failed,lost', '--trigger', 'manual'], named);
    const ofJob = await jobs(
      ['runs', 'hourly', '--since', '2026-03-01T11:00Z', '--until', '2026-03-01'],
      named,
    );
    const none = await jobs(['runs', 'asked'], named);

    expect(linesOf(all.out)).toHaveLength(3);
    expect(linesOf(failed.out)).toEqual([
      expect.stringMatching(/^AT +STATE +TRIGGER +TOOK +WHAT +RUN$/),
      expect.stringMatching(new RegExp(`Z +failed +manual +\\S+ ms +no disk left +${id}$`)),
    ]);
    expect(
      linesOf(ofJob.out)
        .slice(1)
        .map((line) => line.split(/ +/)),
    ).toEqual([
      ['2026-03-01T12:00:00Z', 'succeeded', 'schedule', '1', 's', '-', 'hourly@20260301T120000Z'],
      ['2026-03-01T11:00:00Z', 'succeeded', 'schedule', '1', 's', '-', 'hourly@20260301T110000Z'],
    ]);
    expect([none.status, linesOf(none.out)]).toEqual([0, [expect.stringMatching(/^AT/)]]);
  });

  test('runs goes through as many pages as it takes, and with --json says where it would go on', async () => {
    const { named, api } = await withPast();

    const most = await jobs(['runs', 'hourly', '--limit', '510', '--json'], named);
    const whole = await jobs(['runs', 'hourly', '--limit', '1000', '--json'], named);

    const { runs: first, next } = JSON.parse(most.out);
    const { runs: rest } = (await api(`/runs?job=hourly&cursor=${next}`))!;
    expect(first).toHaveLength(510);
    expect(rest).toHaveLength(10);
    expect(JSON.parse(whole.out)).toEqual({ runs: [...first, ...rest], next: null });
  });

  test('what comes, who did what, and backfills are shown as the API has them', async () => {
    const { named, api, ask } = await withPast();
    await ask('PUT', '/api/v1/jobs/hourly/pause', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ note: 'away' }),
    });

    const upcoming = await jobs(['upcoming', 'hourly', '--limit', '1'], named);
    const actions = await jobs(['actions'], named);
    const backfills = await jobs(['backfills', 'hourly'], named);

    expect(upcoming.out).toMatch(
      /^AT +JOB +PAUSED\n\S+:00:00Z +hourly +paused: will be skipped\n$/,
    );
    expect(actions.out).toMatch(
      /^AT +BY +ACTION +JOB +WHAT +RUN\n\S+Z +- +pause +hourly +until resumed: away \(active → /,
    );
    expect(backfills.out).toBe('STATE  FROM  TO  OPENED  BY  BACKFILL\n');
    for (const [words, path] of [
      [['upcoming', '--limit', '3'], '/upcoming?limit=3'],
      [['actions'], '/actions'],
      [['backfills', 'hourly'], '/jobs/hourly/backfills'],
    ] as const) {
      const { out } = await jobs([...words, '--json'], named);
      expect(JSON.parse(out)).toEqual(await api(path));
    }
  });

  test('system tells whether all is well with the server', async () => {
    const { named } = await withPast();

    const { status, out } = await jobs(['system'], named);
    const json = await jobs(['system', '--json'], named);

    expect(status).toBe(0);
    expect(out).toMatch(/^versions +Punctual \d\S+, Node 24\.\d/m);
    expect(out).toMatch(/^jobs +3$/m);
    expect(JSON.parse(json.out)).toMatchObject({ counts: { jobs: 3 }, process: { jobs: 3 } });
  });
});

describe('one run', () => {
  test('show has all of it, and the end of its log', async () => {
    const { named, start, api } = await withPast();
    const id = await start('broken');

    const { status, out } = await jobs(['show', id], named);
    const json = await jobs(['show', id, '--json'], named);

    expect(status).toBe(0);
    expect(out).toMatch(new RegExp(`^run +${id}\nstate +failed\ntrigger +manual\n`));
    expect(out).toMatch(/^error +Error: no disk left\n {11}at all\n {15}at /m);
    expect(out).toMatch(/^attempt 1 +failed on \S+, started /m);
    expect(JSON.parse(json.out)).toEqual(await api(`/runs/${encodeURIComponent(id)}`));
  });

  test('logs has its lines, and with --json each as the API gives it', async () => {
    const { named, start, api } = await withPast();
    const id = await start('asked');

    const { out } = await jobs(['logs', id], named);
    const json = await jobs(['logs', id, '--json'], named);

    expect(linesOf(out)).toEqual([
      expect.stringMatching(/^2026-03-01T\S+Z info {2}said {"n":1}$/),
      expect.stringMatching(/^2026-03-01T\S+Z warn {2}twice$/),
    ]);
    const log = await api(`/runs/${encodeURIComponent(id)}/log`);
    expect(linesOf(json.out).map((line) => JSON.parse(line))).toEqual(log?.['lines']);
  });

  test('the beginning of its id is enough, where no other begins so', async () => {
    const { named, start } = await withPast();
    const id = await start('asked');

    const short = await jobs(['show', id.slice(0, 14)], named);
    const cut = await jobs(['logs', `${id.slice(0, 14)}…`], named);
    const tooShort = await jobs(['show', id.slice(0, 8)], named);

    expect(short.out).toContain(`run        ${id}\n`);
    expect(cut.out).toContain('said');
    expect(tooShort).toMatchObject({ status: 4, out: '' });
  });

  test('cancel and free end one, on whichever instance it is', async () => {
    const { here, named, input, server } = await startCalled();
    const words = ['trigger', 'waits', '--json', '--overlap', 'allow'];
    const [first, second] = [
      JSON.parse((await jobs([...words, '--input', input({ gate: 'a' })], here)).out).id,
      JSON.parse((await jobs([...words, '--input', input({ gate: 'a' })], named)).out).id,
    ];

    const cancelled = await jobs(['cancel', first, '--json'], named);
    const freed = await jobs(['free', second], here);
    const over = await jobs(['free', second], named);

    expect(JSON.parse(cancelled.out)).toMatchObject({ id: first });
    expect(freed).toMatchObject({ status: 0, out: `the slot of ${second} is free\n` });
    expect(over).toMatchObject({ status: 5, err: 'the run is over already\n' });
    const { actions } = await server.json<{ actions: { action: string; by: string }[] }>(
      '/api/v1/actions',
    );
    expect(actions.find(({ action }) => action.startsWith('free'))?.by).toBe('ann');
  });
});

describe('pause and resume', () => {
  test('say what is so then, or all that is wrong with what was asked', async () => {
    const { named, api } = await withPast();
    const until = '2026-03-02T00:00:00Z';

    const paused = await jobs(['pause', 'hourly', '--until', until, '--json'], named);
    const wrong = await jobs(
      ['pause', 'hourly', '--until', 'soon', '--note', 'x'.repeat(501)],
      named,
    );
    const resumed = await jobs(['resume', 'hourly', '--json'], named);

    expect(JSON.parse(paused.out)).toMatchObject({ state: 'paused', paused: { note: null } });
    expect(linesOf(wrong.err).toSorted()).toEqual([
      '--note: expected text of at most 500 characters',
      '--until: expected an instant such as 2026-03-07T07:30:00Z',
    ]);
    expect(JSON.parse(resumed.out)).toEqual((await api('/jobs'))?.['jobs'][2]);
  });
});

describe('without a server', () => {
  test('what is on record here is shown all the same, and nothing is started', async () => {
    const { server, here, named } = await startCalled();
    const { out } = await jobs(['trigger', 'fails', '--wait', '--json'], here);
    const { id } = JSON.parse(out);
    const asked = [['list'], ['runs', 'fails'], ['show', id], ['logs', id], ['backfills', 'old']];
    const ask = async (env: Record<string, string>) =>
      Promise.all(asked.map(async (words) => jobs([...words, '--json'], env)));
    const before = await ask(named);

    await server.end('SIGTERM');
    const after = await ask(here);
    const gone = await Promise.all([
      jobs(['upcoming'], here),
      jobs(['actions', 'fails'], here),
      jobs(['cancel', id], here),
      jobs(['show', 'fails!none'], here),
      jobs(['trigger', 'quick'], here),
      jobs(['system'], here),
    ]);

    expect(after).toEqual(before);
    expect(gone.map(({ status }) => status)).toEqual([0, 0, 5, 4, 6, 6]);
  });

  test('a job that no server has registered yet is told of, and is none of the API', async () => {
    const { out, err } = await jobs(['list', '--json'], { PUNCTUAL_DB: '/nowhere/punctual.db' });

    expect(JSON.parse(out)).toEqual({ jobs: [], next: null });
    expect(err).toMatch(/^not yet registered, since no server has started: canary, /);
  });
});

describe('words', () => {
  test.each([
    [['wat'], 2, /^there is no command "wat"; there are list, runs, /],
    [['runs', 'a', 'b'], 2, /^expected one job at most, got b too$/],
    [['list', 'x'], 2, /^expected nothing more, got x$/],
    [['runs', '--wait'], 2, /^Unknown option '--wait'; runs takes --state, /],
    [['adopt', '--json'], 2, /^Unknown option '--json'; adopt takes no options$/],
    [['trigger', 'x', '--wait', '0'], 2, /^--wait is "0"; right would be whole seconds/],
    [
      ['trigger', 'x', '--overlap', 'skip'],
      2,
      /^--overlap is "skip"; right would be one of allow$/,
    ],
    [['runs', '--trigger', 'cron'], 2, /^--trigger is "cron"; right would be one of schedule, /],
    [['runs', '--since', 'soon'], 2, /^--since is "soon"; right would be such as /],
    [['runs', '--limit', '0'], 2, /^--limit is "0"; right would be a whole number/],
    [['trigger', 'NAME'], 2, /not a job name/],
    [['adopt'], 2, /^adopt changes the store of this machine, not that of PUNCTUAL_URL/],
  ])('%j is refused with what would be right', async (words, status, told) => {
    const { url } = await serve([]);

    const answer = await jobs(words, { PUNCTUAL_URL: url });

    expect([answer.status, answer.out]).toEqual([status, '']);
    expect(answer.err.trim()).toMatch(told);
  });

  test('help is there without a server, and has every command and exit status', async () => {
    const { status, out } = await jobs(['trigger', '--help'], {});

    expect(status).toBe(0);
    for (const word of ['backfills NAME', 'rerun RUN', 'PUNCTUAL_TOKEN', '7  the run goes on']) {
      expect(out).toContain(word);
    }
  });

  test('an input may be piped in', async () => {
    const { named } = await startCalled();

    const ended = spawnSync(
      process.execPath,
      [SCRIPT, 'trigger', 'picky', '--input', '-', '--wait'],
      {
        env: { PATH: process.env['PATH'], ...named },
        input: '\ufeff{"rows": 2, "to": "ann@example.com"}',
        encoding: 'utf8',
      },
    );

    expect([ended.status, ended.stderr]).toEqual([0, '']);
    expect(ended.stdout).toMatch(/succeeded/);
  });
});
