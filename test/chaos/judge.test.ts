import { describe, expect, test } from 'vitest';
import { parseJournal } from './journal.ts';
import { judge } from './judge.ts';

/** The judge of the journal finds what it is there to find, and nothing else. */

const LEASE_MS = 3000;

/**
 * Lines as `word process at run token how`. Of job `one` no two attempts may be at work at once,
 * of job `two` two; runs of the second have names that begin with `t`.
 */
function judged(...lines: string[]) {
  const written = lines.map((line) => {
    const [word = '', writer, at, run = '', token, how = ''] = line.split(' ');
    if (!/begin|effect|deaf|end/.test(word)) return `${word} ${writer} ${at} ${run}`;
    const job = run.startsWith('t') ? 'two' : 'one';
    return `${word} ${writer} ${at} ${job} ${run} 1 ${token} ${how}`;
  });
  const slotsOf = (job: string): number => (job === 'two' ? 2 : 1);
  const found = judge(parseJournal(written.join('\n')), { leaseMs: LEASE_MS, slotsOf });
  const { overlaps, doubles, fences, impossible, late } = found;
  const counts = Object.entries({ overlaps, doubles, fences, impossible }).map(
    ([what, all]) => [what, all.length] as const,
  );
  return Object.fromEntries([...counts, ['late', late] as const].filter(([, n]) => n !== 0));
}

const FIRST = ['begin 1 0 r1 10', 'effect 1 100 r1 10'];
/** It stands still, another begins, and it goes on. */
const PASSED = [...FIRST, 'stop 1 200', 'begin 2 3300 r2 11', 'cont 1 4000'];

describe('nothing is wrong', () => {
  test('where one attempt begins after the other', () => {
    expect(judged(...FIRST, 'end 1 200 r1 10 done', 'begin 2 300 r2 11')).toEqual({});
  });

  test('where the process of the earlier one is gone', () => {
    expect(judged(...FIRST, 'gone 1 200 SIGKILL', 'begin 2 300 r2 11')).toEqual({});
  });

  test('where it stands still, or did so before it was passed', () => {
    expect(judged(...PASSED)).toEqual({});
    expect(judged(...FIRST, 'stop 1 200', 'cont 1 4000', 'begin 2 4001 r2 11')).toEqual({});
  });

  test('where it has been silent for so long that it may have lost its lease', () => {
    expect(judged(...FIRST, 'begin 2 500 r2 11', 'end 1 600 r1 10 lease_lost')).toEqual({});
  });

  test('where it does what it was about to do when it was stopped, and then ends', () => {
    expect(judged(...PASSED, 'end 1 4001 r1 10 lease_lost')).toEqual({});
    expect(judged(...PASSED, 'effect 1 4001 r1 10', 'end 1 4060 r1 10 lease_lost')).toEqual({
      late: 1,
    });
  });

  test('where it was about to begin when it was stopped, and then ends', () => {
    const lines = ['stop 1 100', 'begin 2 3300 r2 11', 'cont 1 4000', 'begin 1 4001 r1 10'];

    expect(judged(...lines, 'end 1 4020 r1 10 lease_lost')).toEqual({ late: 1 });
  });

  test('where a number of a process is given again', () => {
    const lines = [...FIRST, 'gone 1 200 SIGKILL', 'up 1 300'];

    expect(judged(...lines, 'begin 1 400 r2 11', 'effect 1 420 r2 11')).toEqual({});
  });
});

describe('an overlap is found', () => {
  test('where another attempt begins beside one at work', () => {
    expect(judged(...FIRST, 'begin 2 200 r2 11')).toEqual({ overlaps: 1 });
  });

  test('where one that seemed to be over goes on', () => {
    const lines = [...FIRST, 'begin 2 500 r2 11'];

    expect(judged(...lines, 'effect 1 510 r1 10')).toEqual({ overlaps: 1 });
    expect(judged(...lines, 'effect 1 510 r1 10', 'effect 1 520 r1 10')).toEqual({ overlaps: 1 });
  });

  test('where it begins too soon after the process was stopped', () => {
    expect(judged(...FIRST, 'stop 1 200', 'begin 2 300 r2 11')).toEqual({ overlaps: 1 });
  });

  test('where one that was passed does more than it was about to do', () => {
    expect(judged(...PASSED, 'effect 1 4001 r1 10', 'effect 1 4060 r1 10')).toEqual({
      late: 1,
      overlaps: 1,
    });
  });

  test('where another of its process was about to do something, and it was not', () => {
    const other = ['begin 1 150 r9 5', 'effect 1 160 r9 5'];
    const lines = [...other, ...PASSED.slice(2), 'end 1 4001 r9 5 lease_lost'];

    expect(judged('begin 1 0 t1 10', ...lines, 'effect 1 4002 t1 10')).toEqual({});
    expect(judged(...PASSED, 'begin 1 4001 t1 12', 'effect 1 4002 r1 10')).toEqual({ overlaps: 1 });
  });

  test('where one was about to begin when it was stopped, and goes on', () => {
    const lines = ['stop 1 100', 'begin 2 3300 r2 11', 'cont 1 4000', 'begin 1 4001 r1 10'];

    expect(judged(...lines, 'effect 1 4020 r1 10')).toEqual({ late: 1, overlaps: 1 });
  });

  test('where one goes on after it stood still, and is passed then', () => {
    const lines = [...FIRST, 'stop 1 200', 'cont 1 4000', 'effect 1 4001 r1 10'];
    const passed = [...lines, 'begin 2 4050 r2 11'];

    expect(judged(...passed, 'effect 1 4060 r1 10')).toEqual({ overlaps: 1 });
  });

  test('where the third of three begins, and two were over', () => {
    const lines = [...FIRST, 'begin 2 1000 r2 11', 'effect 2 1100 r2 11'];

    expect(judged(...lines, 'begin 3 1200 r3 12')).toEqual({ overlaps: 1 });
    expect(judged(...lines, 'begin 3 2000 r3 12')).toEqual({});
  });
});

describe('of a job with two slots', () => {
  const TWO = ['begin 1 0 t1 10', 'begin 2 100 t2 11'];

  test('two may be at work at once', () => {
    expect(judged(...TWO, 'effect 1 200 t1 10', 'effect 2 200 t2 11')).toEqual({});
  });

  test('the one that was granted first may begin last', () => {
    expect(judged('begin 2 100 t2 11', 'begin 1 101 t1 10')).toEqual({});
  });

  test('no two have one token', () => {
    expect(judged('begin 2 100 t2 11', 'begin 1 101 t1 11')).toEqual({ fences: 1 });
  });

  test('a third beside them is found', () => {
    expect(judged(...TWO, 'begin 3 200 t3 12')).toEqual({ overlaps: 1 });
  });

  test('a third may begin when one of them may be over, whichever it is', () => {
    const lines = [...TWO, 'begin 3 900 t3 12'];

    expect(judged(...lines, 'effect 1 950 t1 10')).toEqual({});
    expect(judged(...lines, 'effect 2 950 t2 11')).toEqual({});
    expect(judged(...lines, 'effect 2 950 t2 11', 'effect 1 960 t1 10')).toEqual({ overlaps: 1 });
  });
});

describe('a handler that is deaf', () => {
  const DEAF = [...FIRST, 'deaf 1 150 r1 10', 'deaf 1 200 r1 10'];

  test('keeps its slot: who begins beside it is found', () => {
    expect(judged(...DEAF, 'begin 2 250 r2 11')).toEqual({ overlaps: 1 });
  });

  test('can not know that its lease was lost while its process stood still', () => {
    const lines = [...DEAF, 'stop 1 220', 'begin 2 3300 r2 11', 'cont 1 4000'];

    expect(judged(...lines, 'deaf 1 4001 r1 10', 'deaf 1 4020 r1 10')).toEqual({ late: 2 });
  });
});

describe('an isolated handler', () => {
  const ISOLATED = ['begin 1/7 0 r1 10', 'effect 1/7 100 r1 10'];

  test('may outlive its server for a moment', () => {
    const lines = [...ISOLATED, 'gone 1 150 SIGKILL', 'effect 1/7 160 r1 10'];

    expect(judged(...lines, 'begin 2 2000 r2 11')).toEqual({});
  });

  test('may even begin when its server is gone', () => {
    expect(judged('gone 1 50 SIGKILL', ...ISOLATED, 'begin 2 2000 r2 11')).toEqual({});
  });

  test('may be ended by force in the middle of its work', () => {
    expect(judged(...ISOLATED, 'begin 1/8 101 r2 11')).toEqual({});
  });

  test('goes on while its server stands still', () => {
    expect(judged(...ISOLATED, 'stop 1 120', 'effect 1/7 140 r1 10', 'cont 1 4000')).toEqual({});
  });

  test('is found where anything of it is left when a later attempt has begun', () => {
    const gone = [...ISOLATED, 'gone 1 150 SIGKILL', 'begin 2 2000 r2 11'];
    const forced = [...ISOLATED, 'begin 1/8 101 r2 11'];
    const stopped = [...ISOLATED, 'stop 1 120', 'begin 2 3300 r2 11', 'cont 1 4000'];

    expect(judged(...gone, 'effect 1/7 2001 r1 10')).toEqual({ overlaps: 1 });
    expect(judged(...gone, 'end 1/7 2001 r1 10 done')).toEqual({ overlaps: 1 });
    expect(judged(...forced, 'effect 1/7 102 r1 10')).toEqual({ overlaps: 1 });
    expect(judged(...stopped, 'effect 1/7 4001 r1 10')).toEqual({ overlaps: 1 });
  });

  test('is found where it begins after a later attempt', () => {
    const lines = ['gone 1 50 SIGKILL', 'begin 2 2000 r2 11', 'begin 1/7 2001 r1 10'];

    expect(judged(...lines)).toEqual({ fences: 1, overlaps: 1 });
  });
});

test('a second start of an attempt is found', () => {
  expect(judged(...FIRST, 'end 1 200 r1 10 done', 'begin 2 300 r1 11')).toEqual({ doubles: 1 });
});

test('a token that is not larger is found', () => {
  expect(judged(...FIRST, 'end 1 200 r1 10 done', 'begin 2 300 r2 10')).toEqual({ fences: 1 });
});

test('a line that nobody can have written is found', () => {
  expect(judged('effect 1 100 r1 10')).toEqual({ impossible: 1 });
  expect(judged(...FIRST, 'end 1 200 r1 10 done', 'effect 1 300 r1 10')).toEqual({ impossible: 1 });
  expect(judged(...FIRST, 'gone 1 200 SIGKILL', 'begin 1 300 r2 11')).toEqual({ impossible: 1 });
});

test('hours of lines are judged in seconds', () => {
  const rest = { job: 'one', attempt: 1, host: 0, how: 'done' } as const;
  const lines = Array.from({ length: 100_000 }, (_, n) =>
    (['begin', 'effect', 'end'] as const).map((word) => {
      return { ...rest, word, pid: n % 3, at: n * 25, run: `${n}`, fence: n + 1 };
    }),
  ).flat();
  const from = performance.now();

  const { overlaps, attempts } = judge(lines, { leaseMs: LEASE_MS });

  expect({ overlaps, attempts: attempts.size }).toEqual({ overlaps: [], attempts: 100_000 });
  expect(performance.now() - from).toBeLessThan(20_000);
});
