import { describe, expect, test } from 'vitest';
import { judge, parseJournal } from './journal.ts';

/** The judge of the journal finds what it is there to find, and nothing else. */

const LEASE_MS = 3000;

/** Lines as `word pid at attempt token`, of runs `r1`, `r2`, … of one job by their token. */
function judged(...lines: string[]) {
  const written = lines.map((line) => {
    const [word = '', pid, at, run = '', token, how = ''] = line.split(' ');
    return /begin|effect|end/.test(word)
      ? `${word} ${pid} ${at} job ${run} 1 ${token} ${how}`
      : `${word} ${pid} ${at} ${run}`;
  });
  const { attempts: _, ...found } = judge(parseJournal(written.join('\n')), LEASE_MS);
  const counts = Object.entries(found).map(([what, all]) => [
    what,
    typeof all === 'number' ? all : all.length,
  ]);
  return Object.fromEntries(counts.filter(([, n]) => n !== 0));
}

const FIRST = ['begin 1 0 r1 10', 'effect 1 100 r1 10'];

describe('nothing is wrong', () => {
  test('where one attempt begins after the other', () => {
    expect(judged(...FIRST, 'end 1 200 r1 10 done', 'begin 2 300 r2 11')).toEqual({});
  });

  test('where the process of the earlier one is gone', () => {
    expect(judged(...FIRST, 'gone 1 200 SIGKILL', 'begin 2 300 r2 11')).toEqual({});
  });

  test('where it stands still, or did so for longer than its lease', () => {
    expect(judged(...FIRST, 'stop 1 200', 'begin 2 3300 r2 11', 'cont 1 4000')).toEqual({});
    expect(judged(...FIRST, 'stop 1 200', 'cont 1 4000', 'begin 2 4001 r2 11')).toEqual({});
  });

  test('where it ends as soon as it goes on, and one effect came before that', () => {
    const passed = [...FIRST, 'stop 1 200', 'begin 2 3300 r2 11', 'cont 1 4000'];

    expect(judged(...passed, 'end 1 4001 r1 10 lease_lost')).toEqual({});
    expect(judged(...passed, 'effect 1 4001 r1 10', 'end 1 4060 r1 10 lease_lost')).toEqual({
      late: 1,
    });
  });
});

describe('an overlap is found', () => {
  test('where another attempt begins beside one at work', () => {
    expect(judged(...FIRST, 'begin 2 200 r2 11')).toEqual({ overlaps: 1 });
  });

  test('where it begins too soon after the process was stopped', () => {
    expect(judged(...FIRST, 'stop 1 200', 'begin 2 900 r2 11')).toEqual({ overlaps: 1 });
  });

  test('where the process stood still for less than its lease', () => {
    const lines = [...FIRST, 'stop 1 200', 'cont 1 3000', 'begin 2 3100 r2 11'];

    expect(judged(...lines)).toEqual({ overlaps: 1 });
  });

  test('where one that was passed goes on with more than one effect', () => {
    const passed = [...FIRST, 'stop 1 200', 'begin 2 3300 r2 11', 'cont 1 4000'];

    expect(judged(...passed, 'effect 1 4001 r1 10', 'effect 1 4060 r1 10')).toEqual({
      late: 1,
      overlaps: 1,
    });
  });

  test('where one goes on after it stood still, and is passed then', () => {
    const lines = [...FIRST, 'stop 1 200', 'cont 1 4000', 'effect 1 4001 r1 10'];

    expect(judged(...lines, 'begin 2 4050 r2 11', 'effect 1 4060 r1 10')).toEqual({ overlaps: 1 });
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
  expect(judged(...FIRST, 'gone 1 200 SIGKILL', 'up 1 300')).toEqual({ impossible: 1 });
});
