import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runFilterHints } from '../../server/core/run-filter-hints.ts';
import {
  FILTER_LIMIT,
  parseRunFilter,
  runFilterText,
  unknownJob,
} from '../../server/core/run-filter.ts';
import { TRIGGERS, RUN_STATES } from '../../server/core/run.ts';

const NOW = Date.parse('2026-11-28T12:34:56Z');
const at = (text: string): number => Date.parse(text);
const parse = (text: string) => parseRunFilter(text, NOW);

/** Messages, each with what it would have instead. */
const told = (text: string) =>
  parse(text).problems.map(({ message, instead }) => `${message} → ${instead ?? '–'}`);

describe('a filter', () => {
  test('of no words lets all runs through', () => {
    expect(parse('  ')).toEqual({ query: {}, text: null, relative: false, problems: [] });
  });

  test('says each thing in a word of its own, in any order', () => {
    const { query, text, problems } = parse('trigger:manual "disk full" state:failed job:x text:y');

    expect(query).toEqual({ job: 'x', states: ['failed'], trigger: 'manual' });
    expect(text).toBe('disk full y');
    expect(problems).toEqual([]);
  });

  test.each([
    ['state:timed-out', ['timed_out']],
    ['state:Timed_Out', ['timed_out']],
    ['state:"timed out"', ['timed_out']],
    ['state:failed,lost', ['failed', 'lost']],
    ['state:"timed out",failed', ['timed_out', 'failed']],
    ['state:problem', ['failed', 'timed_out', 'lost', 'missed']],
    ['state:live', ['queued', 'running', 'retry_wait']],
    ['state:done', ['succeeded', 'failed', 'timed_out', 'cancelled', 'lost']],
    ['state:problem,failed', ['failed', 'timed_out', 'lost', 'missed']],
    ['STATE:failed,', ['failed']],
  ])('%s asks for %j', (text, states) => {
    expect(parse(text)).toMatchObject({ query: { states }, problems: [] });
  });

  test.each([
    ['since:2d', { since: at('2026-11-26T12:34:56Z') - 1 }, true],
    ['since:36h', { since: at('2026-11-27T00:34:56Z') - 1 }, true],
    ['since:1w', { since: at('2026-11-21T12:34:56Z') - 1 }, true],
    ['until:90m', { until: at('2026-11-28T11:04:56Z') }, true],
    ['since:today', { since: at('2026-11-28') - 1 }, true],
    ['until:yesterday', { until: at('2026-11-28') - 1 }, true],
    ['since:2026-11-27', { since: at('2026-11-27') - 1 }, false],
    ['until:2026-11-27', { until: at('2026-11-28') - 1 }, false],
    ['since:2026-11-27T08:00Z', { since: at('2026-11-27T08:00Z') - 1 }, false],
    ['until:2026-11-27t08:00:30+01:00', { until: at('2026-11-27T07:00:30Z') }, false],
    ['since:999999999999d', { since: -1 }, true],
  ])('%s takes in what it names', (text, query, relative) => {
    expect(parse(text)).toEqual({ query, text: null, relative, problems: [] });
  });

  test('takes the quotation marks of phones for plain ones', () => {
    expect(parse('\u201cdisk full\u201d').text).toBe('disk full');
  });

  test('keeps a colon and a quotation mark that are quoted', () => {
    expect(parse(String.raw`"Error: no \"disk\" at C:\new"`).text).toBe(
      String.raw`Error: no "disk" at C:\new`,
    );
  });
});

describe('what is wrong is told', () => {
  test('all at once, in the order of the words, and the rest is read', () => {
    const { query, problems } = parse('job:Nightly state:faild since:soon trigger:manual');

    expect(problems.map(({ message }) => message.split(';')[0])).toEqual([
      'job: "Nightly" is no job’s name',
      'state: "faild" is no state',
      'since: "soon" is no time',
    ]);
    expect(query).toEqual({ trigger: 'manual' });
  });

  test.each([
    ['a state:faild b', 'a state:failed b'],
    ['state:error', 'state:failed'],
    ['state:suceeded,fail', 'state:succeeded,failed'],
    ['state:timeout', 'state:timed_out'],
    ['stat:failed', 'state:failed'],
    ['jbo:x', 'job:x'],
    ['Error:x', '"Error:x"'],
    ['-state:failed', 'state:failed'],
    ['job:Nightly_Report', 'job:nightly-report'],
    ['trigger:manul', 'trigger:manual'],
    ['since:2days', 'since:2d'],
    ['since:"36 hours"', 'since:36h'],
    ['since:2026-11-28T08:00', 'since:2026-11-28T08:00Z'],
    ['until:"2026-11-28 08:00"', 'until:2026-11-28T08:00Z'],
    ['until:yesteday', 'until:yesterday'],
    ['"disk full', '"disk full"'],
  ])('with what was meant: %s is %s', (text, instead) => {
    expect(parse(text).problems.map((problem) => problem.instead)).toEqual([instead]);
    expect(parse(instead).problems).toEqual([]);
  });

  test.each([
    'job:',
    'state:',
    'text:',
    'since:""',
    'state:nonsense',
    'trigger:x',
    'since:0d',
    'since:-2d',
    'since:2026-02-30',
    'until:tomorrow',
    'job:sync*',
    'job:a job:b',
    'state:failed state:lost',
    'since:1d until:2d',
    'since:2026-11-28 until:2026-11-27',
    'x'.repeat(FILTER_LIMIT + 1),
  ])('without a guess where there is none: %s', (text) => {
    expect(parse(text).problems.map((problem) => problem.instead)).toEqual([null]);
  });

  test('in words that say which, and what would be right', () => {
    expect(told('state:faild')).toEqual([
      'state: "faild" is no state; there are queued, running, retry_wait, succeeded, failed, ' +
        'timed_out, cancelled, lost, skipped, missed, and for several at once problem, live, done' +
        ' → state:failed',
    ]);
    expect(told('state:failed state:lost')).toEqual([
      'state: may be given only once; several states go into one word: state:failed,lost → –',
    ]);
    expect(told('since:soon')[0]).toContain('(2d, 36h, 90m)');
  });

  test('of a job that there is none of, with the one that was meant', () => {
    const jobs = ['nightly-report', 'sync-orders'];

    expect(unknownJob('state:failed job:nigthly-report', 'nigthly-report', jobs)).toEqual({
      message: 'job: there is no job "nigthly-report"',
      instead: 'state:failed job:nightly-report',
    });
    expect(unknownJob('job:"sync"', 'sync', jobs).instead).toBe('job:sync-orders');
    expect(unknownJob('job:x', 'x', jobs).instead).toBeNull();
  });
});

test('words become a filter that reads back as the same', () => {
  const words = fc.record(
    {
      job: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/),
      state: fc.uniqueArray(fc.constantFrom(...RUN_STATES), { minLength: 1 }),
      trigger: fc.constantFrom(...TRIGGERS),
      text: fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
        .filter((text) => text.trim() !== '' && !/[\u201c-\u201f]/.test(text)),
    },
    { requiredKeys: [] },
  );

  fc.assert(
    fc.property(words, ({ job, state, trigger, text }) => {
      const printed = runFilterText({
        ...(job !== undefined && { job }),
        ...(state !== undefined && { state: state.join(',') }),
        ...(trigger !== undefined && { trigger }),
        ...(text !== undefined && { text }),
      });

      expect(parse(printed)).toEqual({
        query: {
          ...(job !== undefined && { job }),
          ...(state !== undefined && { states: state }),
          ...(trigger !== undefined && { trigger }),
        },
        text: text ?? null,
        relative: false,
        problems: [],
      });
    }),
    { numRuns: 2000 },
  );
});

test('whatever is typed is read or told', () => {
  const pieces = [
    'job:',
    'state:',
    'since:',
    'text:',
    '"',
    '\\',
    ' ',
    ',',
    ':',
    '-',
    '2d',
    'é',
    '\n',
  ];
  const typed = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom(...pieces)).map((all) => all.join('')),
  );

  fc.assert(
    fc.property(typed, (text) => {
      const { query, text: said, problems } = parse(text);
      const read = Object.keys(query).length > 0 || said !== null;

      expect(problems.length > 0 || read).toBe(text.trim() !== '');
      expect(problems.map(({ instead }) => instead)).not.toContain(text);
    }),
    { numRuns: 3000 },
  );
});

describe('hints', () => {
  const jobs = ['canary', 'nightly-report', 'sync-orders', 'rebuild-night'];

  test.each([
    ['', ['state:problem since:24h', 'state:live', 'trigger:manual', 'state:skipped,missed']],
    ['st', ['state:']],
    ['night', ['job:nightly-report', 'job:rebuild-night']],
    ['job:sy', ['job:sync-orders']],
    ['state:fa', ['state:failed']],
    ['job:canary state:failed,l', ['job:canary state:failed,lost']],
    ['job:canary ', ['state:', 'trigger:', 'since:', 'until:'].map((key) => `job:canary ${key}`)],
    ['since:2', ['since:24h']],
    ['trigger:m', ['trigger:manual']],
    ['trigger:manual', []],
    ['"disk st', []],
    ['nothing-like-it', []],
  ])('for %j', (typed, hints) => {
    expect(runFilterHints(typed, jobs)).toEqual(hints);
  });

  test('are few, however many jobs there are', () => {
    const many = Array.from({ length: 500 }, (_, i) => `job-${i}`);

    expect(runFilterHints('job:', many)).toHaveLength(12);
  });
});
