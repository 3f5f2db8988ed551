import { FILTER_KEYS, STATE_GROUPS } from './run-filter.ts';
import { RUN_STATES, TRIGGERS } from './run.ts';

/** More are no help while one is typing. */
const HINTS_LIMIT = 12;

const EXAMPLES = [
  'state:problem since:24h',
  'state:live',
  'trigger:manual',
  'state:skipped,missed',
];

const TIMES = ['1h', '24h', '7d', 'today', 'yesterday'];

/** Whole filters that what is typed may be on its way to, at most 12. */
export function runFilterHints(typed: string, jobs: Iterable<string>): string[] {
  if (typed.trim() === '') return EXAMPLES;
  const last = /[^\s"]*$/.exec(typed)?.[0] ?? '';
  const before = typed.slice(0, typed.length - last.length);
  // Inside of quotation marks it is text.
  if ((before.match(/"/g)?.length ?? 0) % 2 === 1) return [];
  return ends(last.toLowerCase(), before, jobs)
    .filter((end) => end !== last)
    .slice(0, HINTS_LIMIT)
    .map((end) => before + end);
}

function ends(last: string, before: string, jobs: Iterable<string>): string[] {
  const [, key, value] = /^([a-z]+):(.*)$/.exec(last) ?? [];
  if (key !== undefined && value !== undefined) return values(key, value, jobs);
  const unused = FILTER_KEYS.filter((one) => one !== 'text' && !before.includes(`${one}:`));
  const keys = unused.filter((one) => one.startsWith(last)).map((one) => `${one}:`);
  if (last === '' || !unused.includes('job')) return keys;
  return [...keys, ...withIn(last, jobs).map((job) => `job:${job}`)];
}

function values(key: string, value: string, jobs: Iterable<string>): string[] {
  switch (key) {
    case 'job':
      return withIn(value, jobs).map((job) => `job:${job}`);
    case 'state': {
      const given = value.split(',').slice(0, -1);
      const part = value.slice(given.join(',').length + (given.length > 0 ? 1 : 0));
      const states = given.length > 0 ? RUN_STATES : [...Object.keys(STATE_GROUPS), ...RUN_STATES];
      return states
        .filter((state) => state.startsWith(part) && !given.includes(state))
        .map((state) => `state:${[...given, state].join(',')}`);
    }
    case 'trigger':
      return TRIGGERS.filter((one) => one.startsWith(value)).map((one) => `trigger:${one}`);
    case 'since':
    case 'until':
      return TIMES.filter((one) => one.startsWith(value)).map((one) => `${key}:${one}`);
    default:
      return [];
  }
}

/** Those that begin with it, then those that have it elsewhere. */
function withIn(part: string, names: Iterable<string>): string[] {
  const found = [...names].filter((name) => name.includes(part));
  return found.toSorted((a, b) => Number(b.startsWith(part)) - Number(a.startsWith(part)));
}
