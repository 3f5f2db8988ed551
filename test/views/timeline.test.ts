import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../server/core/records.ts';
import type { RunState } from '../../server/core/run.ts';
import type { Ended, Lane } from '../../server/core/timeline.ts';
import { compactInstant } from '../../server/core/time.ts';
import { axisAround, HALF, ticksOf, xOf, type Reach } from '../../views/axis.ts';
import { track } from '../../views/lanes.ts';
import { DETAILS, type Detail } from '../../views/marks.ts';
import { packOutcomes } from '../../views/packed.ts';
import { timelineBody, timelineUrl, type TimelineView } from '../../views/timeline.ts';
import { unpackOutcomes } from '../../views/unpacked.ts';
import { listedJob, NOW, textOf } from './builders.ts';
import { ended, lane, timelineView as view } from './timeline-view.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const axis = axisAround(NOW, 24);

const drawn = (given: Partial<Lane>, detail: Detail = DETAILS[0]!): string =>
  track(lane(given), axis, detail).markup;

/** What the pointer is told of each part. */
const titles = (markup: string): string[] =>
  [...markup.matchAll(/<title>([^<]*)<\/title>/g)].map(([, title = '']) => title);

describe('the axis', () => {
  test('has now in its middle, and moves on by whole units', () => {
    const [a, b, c] = [0, 59_999, 60_000].map((ms) => axisAround(NOW + 1 + ms, 24));

    expect(a?.middle).toBe(NOW + MINUTE);
    expect(b).toEqual(a);
    expect(c).not.toEqual(a);
    expect(xOf(axis, axis.middle)).toBe(HALF);
    expect([xOf(axis, 0), xOf(axis, NOW * 2)]).toEqual([0, 2 * HALF]);
  });

  test.each([
    [6, 13],
    [24, 17],
    [72, 13],
  ] as const)('of %i hours each way has %i ticks', (hours: Reach, count) => {
    expect(ticksOf(axisAround(NOW, hours))).toHaveLength(count);
  });
});

describe('a track', () => {
  test('links what ended to its run, and tells it on hovering', () => {
    const runs = [
      ended({ id: 'nightly-report@1', from: NOW - 5 * HOUR, lateMs: 40_000 }),
      ended({ id: null, short: 'k3', state: 'failed', from: NOW - HOUR, error: 'disk full\nat x' }),
    ];

    const markup = drawn({ ended: runs });

    expect(titles(markup)).toEqual([
      'Mon 07:00 succeeded, 1 min, 40 s late',
      'Mon 11:00 failed, 1 min: disk full',
    ]);
    expect(markup).toContain('href="/runs/nightly-report%401"');
    expect(markup).toContain('href="/jobs/nightly-report/last/k3"');
  });

  test('has another shape for each outcome', () => {
    const states: RunState[] = ['succeeded', 'failed', 'cancelled', 'skipped', 'missed'];
    const stretch = { reason: null, count: 3, atLeast: false };
    const shapes = states.map((state) => {
      const markup = drawn({
        ended: [ended({ state, stretch: /skipped|missed/.test(state) ? stretch : null })],
      });
      return /<path (fill="[^"]*" )?d="[^"]*"\/><\/a>/.exec(markup)?.[0];
    });

    expect(new Set(shapes).size).toBe(states.length);
  });

  test('tells a stretch as one, hatched, with how many it holds and why', () => {
    const stretch = { reason: 'outage', count: 1200, atLeast: true } as const;
    const from = NOW - 3 * HOUR;

    const markup = drawn({ ended: [ended({ state: 'missed', from, to: NOW - HOUR, stretch })] });

    expect(titles(markup)).toEqual(['Mon 09:00 to Mon 11:00: at least 1,200 missed, outage']);
    expect(markup).toContain('fill="url(#tl-missed)" d="M1260 8h120v14h-120z"');
  });

  test('puts together what can not be told apart, but never what failed with what did not', () => {
    const all = Array.from({ length: 60 }, (_, i) =>
      ended({ from: NOW - (60 - i) * MINUTE, state: i === 30 ? 'failed' : 'succeeded' }),
    );

    expect(titles(drawn({ ended: all }))).toEqual([
      '59 succeeded, Mon 11:00 to Mon 12:00: opens the newest',
      'Mon 11:30 failed, 1 min',
    ]);
  });

  test('has no more links than it may, and still draws each run', () => {
    const hourly = Array.from({ length: 24 }, (_, i) => ended({ from: NOW - (24 - i) * HOUR }));

    const markup = drawn({ ended: hourly }, { links: 6, apart: 4, single: 60 });

    expect(markup.match(/<a /g)?.length).toBeLessThanOrEqual(6);
    expect(markup.match(/M\d+ 8h1v14h-1z/g)).toHaveLength(24);
  });

  test('leads in from where a late run should have started', () => {
    const markup = drawn({ ended: [ended({ from: NOW - HOUR, lateMs: 30 * MINUTE })] });

    expect(markup).toContain('<path class="late" d="M1350 11v8M1350 15h30"/>');
  });

  test('tells what is to come: few one by one, more at once, too many as a band', () => {
    const few = [NOW + HOUR, NOW + 2 * HOUR];
    const more = Array.from({ length: 20 }, (_, i) => NOW + (i + 1) * HOUR);
    const bands = [{ from: NOW + MINUTE, to: axis.to }];
    const typicalMs = 10 * MINUTE;

    expect(titles(drawn({ coming: { at: few, bands: [] }, typicalMs }))).toEqual([
      'Mon 13:00, about 10 min',
      'Mon 14:00, about 10 min',
    ]);
    expect(titles(drawn({ coming: { at: more, bands: [] } }))).toEqual([
      '20 to come, Mon 13:00 to Tue 08:00',
    ]);
    expect(titles(drawn({ coming: { at: [], bands } }))).toEqual([
      'Every 5 minutes, Mon 12:01 to Tue 12:00',
    ]);
  });

  test('is as long ahead as the job takes, and marks what will overlap', () => {
    const at = [NOW + HOUR, NOW + 2 * HOUR];
    const markup = drawn({
      coming: { at, bands: [] },
      overlapping: [NOW + 2 * HOUR],
      typicalMs: 90 * MINUTE,
    });

    expect(markup).toContain('d="M1500 9h90v12h-90z"');
    // It will be skipped, and so takes no time.
    expect(markup).toContain('d="M1560 9v12"');
    expect(titles(markup)).toContain(
      '1 will overlap and be skipped: due while an earlier run is still at work',
    );
  });

  test('tells what is under way, and its likely end', () => {
    const from = NOW - 10 * MINUTE;
    const until = NOW + 20 * MINUTE;
    const underway = [
      { id: 'a', state: 'running', from, until, lateMs: 5000 },
      { id: 'b', state: 'retry_wait', from: NOW, until, lateMs: 0 },
      { id: 'c', state: 'queued', from, until: null, lateMs: 0 },
    ] as const;

    const markup = drawn({ underway });

    expect(titles(markup)).toEqual([
      'running since Mon 11:50, started 5 s late',
      'tries again at Mon 12:20',
      'queued since Mon 11:50',
    ]);
    expect(markup).toContain('class="at-work" d="M1430 8h10v14h-10z"');
    expect(markup).toContain('class="coming" d="M1440 9h20v12h-20z"');
  });

  test('tells a pause, and where what is known begins', () => {
    const paused = { at: NOW, by: 'ada', note: 'the disk', until: null };
    const given = {
      job: listedJob({ state: 'paused', paused }),
      paused: { from: NOW, to: axis.to },
      knownFrom: NOW - HOUR,
    };

    expect(titles(drawn(given))).toEqual([
      'paused by ada: the disk',
      'Before Mon 11:00 only problems are shown: of a job its 60 last outcomes are at hand',
    ]);
  });
});

describe('outcomes that a list has packed', () => {
  const id = (at: number): string => `job@${compactInstant(at)}`;
  const unpacked = (...outcomes: Outcome[]): Ended[] =>
    unpackOutcomes('job', packOutcomes('job', outcomes));

  test('are what they were, to the second', () => {
    const at = NOW - HOUR;
    const range = `job@${compactInstant(at)}..${compactInstant(NOW)}~outage`;
    const found = unpacked(
      { id: id(at), state: 'failed', at: at + 9500, ms: 4500, late: 5000 },
      { id: range, state: 'missed', at: NOW, ms: null },
      { id: 'job!abc', state: 'succeeded', at: NOW, ms: 7000 },
    );

    expect(found).toMatchObject([
      { id: id(at), state: 'failed', from: at + 5000, to: at + 9500, lateMs: 5000, stretch: null },
      { id: range, from: at, to: NOW, stretch: { reason: 'outage', count: null } },
      { id: null, state: 'succeeded', from: NOW - 7000, to: NOW },
    ]);
  });

  test('end when they did, also after other attempts', () => {
    const at = NOW - HOUR;
    const [found] = unpacked({ id: id(at), state: 'succeeded', at: NOW, ms: 60_000 });

    expect(found).toMatchObject({ from: NOW - 60_000, to: NOW });
  });
});

describe('the timeline page', () => {
  const text = (change: Partial<TimelineView>): string => textOf(timelineBody(view(change)));

  test('answers first how many jobs had problems', () => {
    const jobs = { all: 5, matching: 5, drawn: 5, problems: 2, more: false };

    expect(text({ jobs })).toContain('2 jobs had problems in the last 24 hours, 3 had none.');
    expect(text({ jobs: { ...jobs, problems: 0 } })).toContain('No problems in the last 24 hours.');
    expect(text({ jobs: { ...jobs, problems: 0 }, history: { kind: 'none' } })).toContain(
      'No problems among the last outcomes of 5 jobs.',
    );
  });

  test('tells of each job what its track does not say', () => {
    const job = listedJob({ nextScheduledAt: NOW + 5 * MINUTE });
    const words = text({
      lanes: [
        lane({
          job,
          ended: [
            ended({ state: 'failed', from: NOW - HOUR }),
            ended({
              state: 'missed',
              from: NOW - 2 * HOUR,
              stretch: { reason: 'outage', count: 14, atLeast: false },
            }),
            ended({ lateMs: 20 * MINUTE }),
          ],
          due: { at: [NOW - MINUTE], bands: [] },
          typicalMs: 42_000,
          knownFrom: NOW - 5 * HOUR,
        }),
      ],
    });

    expect(words).toContain('1 failed, 14 missed · due, not decided yet · 1 late');
    expect(words).toContain('next in 5 minutes · about 42 s · 60 newest drawn');
  });

  test('says what it leaves out', () => {
    const jobs = { all: 9, matching: 5, drawn: 3, problems: 0, more: false };

    expect(text({ jobs })).toContain('2 more jobs have nothing from Sun 12:00 to Tue 12:00');
    expect(text({ history: { kind: 'cut', since: NOW } })).toContain('those since Mon 12:00 are');
    expect(text({ history: { kind: 'none' } })).toContain('reading more is billed here');
  });

  test('says what to do where there is nothing to draw', () => {
    const none = { drawn: 0, problems: 0, more: false };
    const asked = { text: 'x', tag: '', hours: 6, page: 1 } as const;

    expect(text({ lanes: [], jobs: { all: 0, matching: 0, ...none } })).toContain('No jobs yet');
    expect(text({ lanes: [], jobs: { all: 4, matching: 0, ...none } })).toContain(
      'Show all 4 jobs',
    );
    expect(
      text({ lanes: [], asked, jobs: { all: 4, matching: 4, ...none }, axis: axisAround(NOW, 6) }),
    ).toContain('Look at 24 h each way');
  });

  test('keeps what is asked for in its links, and leaves out what goes without saying', () => {
    const asked = { text: 'a b', tag: 'x&y', hours: 72, page: 3 } as const;

    expect(timelineUrl(asked)).toBe('/timeline?text=a+b&tag=x%26y&hours=72&page=3');
    expect(timelineUrl({ text: '', tag: '', hours: 24, page: 1 })).toBe('/timeline');
  });

  test('is the same again within a unit of its axis', () => {
    const lanes = [lane({ ended: [ended({})], job: listedJob({ nextScheduledAt: NOW + HOUR }) })];
    const at = (now: number): TimelineView => view({ now, lanes, axis: axisAround(now, 24) });
    const untimed = (of: TimelineView): string =>
      timelineBody(of).markup.replaceAll(/(<time [^>]*data-[^>]*>)[^<]*/g, '$1');

    expect(untimed(at(NOW + MINUTE))).toBe(untimed(at(NOW + 1)));
    expect(untimed(at(NOW + MINUTE + 1))).not.toBe(untimed(at(NOW + 1)));
  });

  test('is not over 150 KB, whatever there is in its lanes', () => {
    const STATES: RunState[] = ['succeeded', 'failed', 'cancelled', 'timed_out', 'succeeded'];
    const job = listedJob({
      name: 'n'.repeat(63),
      problem: '語'.repeat(500),
      state: 'paused',
      paused: { at: NOW, by: 'b'.repeat(200), note: '語'.repeat(500), until: null },
      nextScheduledAt: NOW + HOUR,
      tags: ['t'.repeat(40)],
    });
    const full = lane({
      job,
      name: job.name,
      ended: Array.from({ length: 200 }, (_, i) =>
        ended({
          id: `${job.name}@20261123T110000Z`,
          state: STATES[i % STATES.length]!,
          from: NOW - (200 - i) * 7 * MINUTE,
          to: NOW - (200 - i) * 7 * MINUTE + MINUTE,
          lateMs: 3 * MINUTE,
          error: '語&'.repeat(2000),
        }),
      ),
      underway: Array.from({ length: 10 }, () => {
        const id = `${job.name}@20261123T110000Z`;
        return { id, state: 'running', from: NOW - HOUR, until: NOW + HOUR, lateMs: HOUR };
      }),
      coming: { at: Array.from({ length: 60 }, (_, i) => NOW + i * 20 * MINUTE), bands: [] },
      overlapping: Array.from({ length: 59 }, (_, i) => NOW + (i + 1) * 20 * MINUTE),
      overlap: 'queue',
      due: { at: Array.from({ length: 60 }, (_, i) => NOW - i * 20 * MINUTE), bands: [] },
      paused: { from: NOW, to: axis.to },
      typicalMs: 40 * MINUTE,
      knownFrom: NOW - HOUR,
    });
    const lanes = Array.from({ length: 25 }, () => full);
    const tags = Array.from({ length: 100 }, (_, i) => `${'t'.repeat(36)}${i}`);

    const { markup } = timelineBody(view({ lanes, tags, pages: 17 }));
    const [coarsest] = DETAILS.toReversed();

    expect(markup).not.toContain(track(full, axis, coarsest!).markup);
    expect(Buffer.byteLength(markup)).toBeLessThan(146_000);
  });

  test('links each run of twenty-five jobs of every hour', () => {
    const hourly = lane({
      job: listedJob({ nextScheduledAt: NOW + HOUR }),
      ended: Array.from({ length: 24 }, (_, i) =>
        ended({ id: 'nightly-report@20261123T110000Z', from: NOW - (24 - i) * HOUR }),
      ),
      coming: { at: Array.from({ length: 24 }, (_, i) => NOW + i * HOUR), bands: [] },
      typicalMs: 5 * MINUTE,
    });

    const { markup } = timelineBody(view({ lanes: Array.from({ length: 25 }, () => hourly) }));

    expect(markup.match(/href="\/runs\//g)).toHaveLength(25 * 24);
  });
});
