import { describe, expect, test } from 'vitest';
import { defineJob } from '../../server/core/job.ts';
import { commit } from '../builders.ts';
import { byHand, job, noon } from '../service.ts';
import { HTMX, serve, type Answer } from './client.ts';
import { live, withInput, words } from './forms.ts';

describe('the page of a job', () => {
  test('tells its schedule, its settings, its outcomes and its history', async () => {
    const { service, ask } = await serve([
      job({
        description: 'Counts the stars',
        tags: ['sky', 'night'],
        schedule: '*/5 * * * *',
        timeZone: 'America/New_York',
        overlap: 'queue',
        timeout: '2m',
        retry: { attempts: 3, backoff: { from: '10s', to: '1m' } },
      }),
    ]);
    await live(service, ['00:05:00', '00:10:00']);

    const answer = await ask('GET', '/jobs/job');
    const text = words(answer);

    expect(answer.status).toBe(200);
    expect(text).toContain('Counts the stars sky night');
    expect(answer.text).toContain('href="/?tag=sky"');
    expect(text).toContain('Schedule Every 5 minutes America/New_York');
    expect(text).toContain('Next run in 5 min 2026-03-01 00:15:00 UTC');
    expect(text).toContain('in 5 minutes Sat 28 Feb 2026, 19:15 2026-03-01 00:15:00');
    expect(text).toContain('8 March 2026: clocks go forward 1 h');
    expect(text).toContain('The last 2 runs, 1 Mar 2026, 00:05 to 1 Mar 2026, 00:10 UTC');
    expect(text).toContain('queue: the new one waits, and of several the latest runs');
    expect(text).toContain('3 attempts, the next after 10 s, then 2 times as long each time');
    expect(text).toContain('Defined by build test');
    expect(answer.text).toContain('title="Sun 1 Mar: 2 succeeded"');
    expect(answer.text).toContain('href="/jobs/job?since=2026-03-01&amp;until=2026-03-01#history"');
    expect(answer.text.match(/<tr id="run-/g)).toHaveLength(2);
  });

  test('of a job that runs by hand, or that is new, says so', async () => {
    const { ask } = await serve([byHand({})]);

    const text = words(await ask('GET', '/jobs/job'));

    expect(text).toContain('Only by hand');
    expect(text).toContain('No run has ended yet.');
    expect(text).toContain('No runs yet.');
    expect(text).toContain('Nobody has done anything to this job yet.');
    expect(text).not.toContain('Backfill…');
  });

  test.each(['every 15m', 'at 2026-05-01T12:00', '0 9 * * 1-5; 0 12 * * 6'])(
    'tells what "%s" comes to',
    async (text) => {
      const [, kind = '', value = ''] = /^(every|at) (.*)$/.exec(text) ?? [];
      const given = kind === '' ? { schedule: text } : { [kind]: value };
      const { ask } = await serve([
        defineJob({ name: 'job', run: () => undefined, ...given } as never),
      ]);

      const answer = await ask('GET', '/jobs/job');

      expect(answer.text).toContain(`<code>${text}</code>`);
      expect(answer.text).toContain('class="occurrences"');
    },
  );

  test('of a job that nobody knows is answered with 404, in words', async () => {
    const { ask } = await serve([job({})]);

    const paths = ['/jobs/none', '/jobs/No!', '/jobs/..%2f..', '/jobs/none/backfill'];
    const answers = await Promise.all(paths.map((path) => ask('GET', path)));

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(answers[0]?.text).toContain('There is no job &quot;none&quot;.');
  });

  test('tells where the code of this build is not what is in force', async () => {
    const { service, ask } = await serve([job({ timeout: '5m' })]);
    const stored = await service.store.read('job');
    const record = stored.record!;
    await service.store.commit({
      ...commit({ ...record, rev: record.rev + 1, spec: { ...record.spec, timeoutMs: 60_000 } }),
      version: stored.version,
      decidedAt: stored.storeNow,
    });

    const text = words(await ask('GET', '/jobs/job'));

    expect(text).toContain('Timeout 1 min here: 5 min');
    expect(text).toContain('The code of this build ( test ) says otherwise');
  });

  test('of a job that left the code keeps its history, and offers nothing to be done', async () => {
    const { service, ask } = await serve([job({})]);
    await service.wake('00:01:00');
    const registry = service.deps.registry as Map<string, unknown>;
    registry.delete('job');

    const answer = await ask('GET', '/jobs/job');

    expect(words(answer)).toContain('This build’s code does not have this job; build test');
    expect(answer.text).not.toContain('<form method="post"');
    expect(answer.text.match(/<tr id="run-/g)).toHaveLength(1);
  });

  test('reads the job, two listings of its runs and its actions', async () => {
    const { service, ask } = await serve([job({})]);
    await live(service, ['00:01:00', '00:02:00']);

    const few = await ask('GET', '/jobs/job');
    for (let minute = 3; minute < 60; minute++) {
      await service.wake(`00:${String(minute).padStart(2, '0')}:00`);
    }
    const many = await ask('GET', '/jobs/job');
    const filtered = await ask('GET', '/jobs/job?state=problem');

    expect(words(few)).toContain('3 store reads, 3 records');
    expect(words(many)).toContain('4 store reads, 60 records');
    expect(words(filtered)).toContain('4 store reads, 60 records');
  });

  test('is not sent again while nothing has happened, though its forms have other keys', async () => {
    const { ask } = await serve([withInput(), byHand({ name: 'bare' })]);
    const poll = async (path: string) => {
      const first = await ask('GET', path, { headers: HTMX });
      const tag = first.headers.get('HX-PTag') ?? '';
      const again = await ask('GET', path, { headers: { ...HTMX, 'HX-PTag': tag } });
      return [first.status, again.status];
    };

    expect(await poll('/jobs/sync')).toEqual([200, 304]);
    expect(await poll('/jobs/bare')).toEqual([200, 304]);
  });
});

describe('the history', () => {
  async function outage() {
    let fails = false;
    const { service, ask } = await serve([
      job({
        run: () => {
          if (fails) throw new Error('disk full');
        },
      }),
    ]);
    await live(service, ['00:01:00', '00:02:00']);
    fails = true;
    await live(service, ['00:20:00']);
    fails = false;
    await live(service, ['00:21:00']);
    return { service, ask };
  }

  const states = ({ text }: Answer): string[] =>
    [...text.matchAll(/<tr id="run-[^]*?<\/tr>/g)].map(
      ([row]) => /class="badge \w+">.*?<\/svg>([a-z ]+)/.exec(row)?.[1] ?? '',
    );

  test.each([
    ['', ['succeeded', 'skipped', 'failed', 'missed', 'succeeded', 'succeeded']],
    ['?state=problem', ['failed', 'missed']],
    ['?state=failed', ['failed']],
    ['?state=succeeded,failed', ['succeeded', 'failed', 'succeeded', 'succeeded']],
    ['?trigger=manual', []],
    ['?since=2026-03-01T00:18Z', ['succeeded', 'skipped', 'failed']],
    ['?until=2026-03-01T00:02Z', ['succeeded', 'succeeded']],
    ['?since=2026-03-01&until=2026-03-01&state=missed', ['missed']],
    ['?since=4m', ['succeeded', 'skipped', 'failed', 'missed']],
    ['?text=DISK+full', ['failed']],
    ['?state=problem&text=nothing+like+it', []],
  ])('%s finds %j', async (query, found) => {
    const { ask } = await outage();

    const answer = await ask('GET', `/jobs/job${query}`);

    expect(answer.status).toBe(200);
    expect(states(answer)).toEqual(found);
  });

  test('tells how far text was looked for', async () => {
    const { ask } = await outage();

    const text = words(await ask('GET', '/jobs/job?text=nowhere'));

    expect(text).toContain('No runs like this. Show all runs of job');
    expect(text).toContain('looked through 6 runs, to the first');
  });

  test('keeps a filter that can not be read, and says what is wrong with it', async () => {
    const { ask } = await outage();

    const answer = await ask('GET', '/jobs/job?state=bad&since=never&text=x');

    expect(answer.status).toBe(200);
    expect(words(answer)).toContain('state: "bad" is no state');
    expect(words(answer)).toContain('since: "never" is no time');
    expect(answer.text).toContain('name="since" value="never"');
    expect(states(answer)).toEqual([]);
  });

  test('goes on page by page and back, without a run twice', async () => {
    const { service, ask } = await serve([job({})]);
    for (let n = 1; n <= 119; n++) {
      const at = new Date(noon('00:00:00') + n * 60_000).toISOString().slice(11, 19);
      await service.wake(at);
    }
    const link = (page: Answer, rel: string): string =>
      (new RegExp(`rel="${rel}" href="([^"#]*)#history"`).exec(page.text)?.[1] ?? '').replaceAll(
        '&amp;',
        '&',
      );

    const first = await ask('GET', '/jobs/job?state=succeeded&since=3h');
    await service.wake('02:00:00');
    const second = await ask('GET', link(first, 'next'));
    const third = await ask('GET', link(second, 'next'));
    const back = await ask('GET', link(third, 'prev'));

    const ids = [first, second, third].flatMap(({ text }) =>
      [...text.matchAll(/<tr id="run-([^"]*)"/g)].map(([, id]) => id),
    );
    expect(ids).toHaveLength(119);
    expect(new Set(ids).size).toBe(119);
    expect(third.text).not.toContain('rel="next"');
    expect(states(back)).toHaveLength(50);
    expect(third.text).toContain('name="since" value="3h"');
  });

  test.each(['?colour=red', '?state=failed&state=lost', '?cursor=xyz', '?asOf=yesterday'])(
    'refuses %s in words',
    async (query) => {
      const { ask } = await serve([job({})]);

      const answer = await ask('GET', `/jobs/job${query}`);

      expect(answer.status).toBe(400);
      expect(answer.text).toContain('Back to all jobs');
    },
  );
});
