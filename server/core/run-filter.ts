import { meantTime, timeOf } from './filter-time.ts';
import { isJobName } from './ids.ts';
import { nearest } from './nearest.ts';
import { isFinal, isRunState, RUN_STATES, TRIGGERS, type RunState } from './run.ts';
import type { RunQuery } from './store.ts';
import type { Instant } from './time.ts';

/**
 * The filter of runs as people type it: `job:sync-orders state:problem since:2d "disk full"`. Each
 * word says one thing, in any order; words without a name are the text to look for. Whatever is
 * wrong is told at once, and where one can guess what was meant, with the filter as it would be.
 */

/** The names of a filter's words. */
export const FILTER_KEYS = ['job', 'state', 'trigger', 'since', 'until', 'text'] as const;

export type FilterKey = (typeof FILTER_KEYS)[number];

/** A filter's words, still as text. */
export type FilterWords = { readonly [Key in FilterKey]?: string };

export interface RunFilter {
  readonly query: Pick<RunQuery, 'job' | 'states' | 'trigger' | 'since' | 'until'>;
  /** What a run must have in it; null for anything. */
  readonly text: string | null;
  /** Whether a part of it moves on with time. */
  readonly relative: boolean;
  /** In the order of the words; where there are any, the rest is not what was meant. */
  readonly problems: readonly FilterProblem[];
}

export interface FilterProblem {
  readonly message: string;
  /** The whole filter with this one thing as it was probably meant; null where nobody can say. */
  readonly instead: string | null;
}

/** More is no filter that somebody typed. */
export const FILTER_LIMIT = 500;

/** Names for several states at once. */
export const STATE_GROUPS: Readonly<Record<string, readonly RunState[]>> = {
  problem: ['failed', 'timed_out', 'lost', 'missed'],
  live: RUN_STATES.filter((state) => !isFinal(state)),
  done: ['succeeded', 'failed', 'timed_out', 'cancelled', 'lost'],
};

/** Reads a filter; `now` is what `since:2d` counts back from. Never throws. */
export function parseRunFilter(typed: string, now: Instant): RunFilter {
  const text = typed.replaceAll(/[\u201c-\u201f]/g, '"');
  if (text.length > FILTER_LIMIT) {
    const message = `the filter has ${text.length} characters; ${FILTER_LIMIT} is most`;
    return { ...NOTHING, problems: [{ message, instead: null }] };
  }
  const reading: Reading = { text, now, query: {}, said: [], relative: false, problems: [] };
  for (const word of wordsOf(text)) read(reading, word);
  const { query, said, relative, problems } = reading;
  if (query.since !== undefined && query.until !== undefined && query.since >= query.until) {
    const message = 'since lies behind until, so nothing comes between them';
    problems.push({ message, instead: null });
  }
  return { query, text: said.length === 0 ? null : said.join(' '), relative, problems };
}

const NOTHING = { query: {}, text: null, relative: false } as const;

/** Words as the text of a filter, which reads back as the same. */
export const runFilterText = (words: FilterWords): string =>
  FILTER_KEYS.flatMap((key) => {
    const value = words[key];
    return value === undefined || value === '' ? [] : [wordText(key, value)];
  }).join(' ');

function wordText(key: FilterKey, value: string): string {
  const plain = !/[\s"\\\u201c-\u201f]/.test(value);
  if (plain && key !== 'text') return `${key}:${value}`;
  if (plain && !/^-?[a-z_-]+:/i.test(value)) return value;
  const quoted = `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
  return key === 'text' ? quoted : `${key}:${quoted}`;
}

/** Says that there is no such job, and which one may have been meant. */
export function unknownJob(typed: string, name: string, jobs: Iterable<string>): FilterProblem {
  const near = nearest(name, jobs);
  const instead = near === undefined ? null : typed.replace(/\bjob:("?)[^\s"]*\1/i, `job:${near}`);
  return { message: `job: there is no job "${name}"`, instead };
}

interface Word {
  /** As typed, with its name. */
  readonly raw: string;
  readonly at: number;
  /** In lower case; null for a word without one. */
  readonly key: string | null;
  readonly value: string;
  readonly open: boolean;
}

interface Reading {
  readonly text: string;
  readonly now: Instant;
  query: { -readonly [Key in keyof RunFilter['query']]: RunFilter['query'][Key] };
  readonly said: string[];
  relative: boolean;
  readonly problems: FilterProblem[];
}

const WORD = /(?:"(?:\\.|[^"\\])*(?:"|\\?$)|[^\s"])+/g;

/** What stands between blanks, where quotation marks keep blanks together. */
function* wordsOf(text: string): Generator<Word> {
  for (const { 0: raw, index: at } of text.matchAll(WORD)) {
    const key = /^(-?[a-z][a-z_-]*):/i.exec(raw)?.[1] ?? null;
    const value = raw.slice(key === null ? 0 : key.length + 1);
    const parts = value.match(/"(?:\\.|[^"\\])*(?:"|\\?$)|[^"]+/g) ?? [];
    const last = parts.at(-1) ?? '';
    const open = last.startsWith('"') && !/^"(?:\\.|[^"\\])*"$/.test(last);
    yield { raw, at, key: key?.toLowerCase() ?? null, value: parts.map(unquoted).join(''), open };
  }
}

const unquoted = (part: string): string =>
  part.startsWith('"')
    ? part
        .replace(/^"/, '')
        .replace(/(?<!\\)((?:\\\\)*)"$/, '$1')
        .replaceAll(/\\(["\\])/g, '$1')
    : part;

function read(reading: Reading, word: Word): void {
  const { key, value } = word;
  if (word.open) {
    const instead = `${reading.text}"`;
    return wrong(reading, { message: 'a quotation mark is not closed', instead });
  }
  if (key !== null && !isKey(key)) return unknownKey(reading, word, key);
  if (value.trim() === '') return empty(reading, key ?? 'text');
  switch (key) {
    case null:
    case 'text':
      return void reading.said.push(value);
    case 'job':
      return readJob(reading, word);
    case 'state':
      return readStates(reading, word);
    case 'trigger':
      return readTrigger(reading, word);
    case 'since':
    case 'until':
      return readTime(reading, word, key);
  }
}

const isKey = (key: string): key is FilterKey => FILTER_KEYS.some((one) => one === key);

const wrong = ({ problems }: Reading, problem: FilterProblem): void => void problems.push(problem);

/** The whole filter with another word in the place of one. */
const withWord = ({ text }: Reading, { at, raw }: Word, word: string): string =>
  text.slice(0, at) + word + text.slice(at + raw.length);

/** What such a word may look like. */
const SUCH_AS: Readonly<Record<FilterKey, string>> = {
  job: 'job:nightly-report',
  state: 'state:failed',
  trigger: 'trigger:manual',
  since: 'since:2d',
  until: 'until:2026-11-28',
  text: 'text:"disk full"',
};

const empty = (reading: Reading, key: FilterKey): void =>
  wrong(reading, { message: `${key}: says nothing yet; such as ${SUCH_AS[key]}`, instead: null });

/** Sets a part of the query; the second word for the same part is one too many. */
function set<Key extends keyof Reading['query']>(
  reading: Reading,
  key: Key,
  value: Reading['query'][Key],
): void {
  if (reading.query[key] === undefined) {
    reading.query[key] = value;
    return;
  }
  const name = key === 'states' ? 'state' : key;
  const how = key === 'states' ? '; several states go into one word: state:failed,lost' : '';
  wrong(reading, { message: `${name}: may be given only once${how}`, instead: null });
}

function unknownKey(reading: Reading, word: Word, key: string): void {
  const near = nearest(key, FILTER_KEYS);
  const message =
    `"${key}:" is no word of the filter; there are ${FILTER_KEYS.join(', ')}; ` +
    'what is to be looked for as text goes in quotation marks';
  const text = `"${word.raw.replaceAll(/["\\]/g, '\\$&')}"`;
  const instead = near === undefined ? text : word.raw.replace(/^[^:]*/, near);
  wrong(reading, { message, instead: withWord(reading, word, instead) });
}

function readJob(reading: Reading, word: Word): void {
  const { value } = word;
  if (isJobName(value)) return set(reading, 'job', value);
  const near = value.toLowerCase().replaceAll(/[\s_]+/g, '-');
  const message =
    `job: "${value}" is no job’s name; a name has small letters, digits and hyphens, ` +
    'and is given whole';
  wrong(reading, {
    message,
    instead: isJobName(near) ? withWord(reading, word, `job:${near}`) : null,
  });
}

/** What others call some states. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  error: 'failed',
  errors: 'failed',
  failure: 'failed',
  failures: 'failed',
  ok: 'succeeded',
  success: 'succeeded',
  completed: 'succeeded',
  pending: 'queued',
  waiting: 'queued',
  retrying: 'retry_wait',
};

function readStates(reading: Reading, word: Word): void {
  const names = word.value
    .split(',')
    .map((name) =>
      name
        .trim()
        .toLowerCase()
        .replaceAll(/[\s_-]+/g, '_'),
    )
    .filter((name) => name !== '');
  const unknown = names.filter((name) => statesOf(name) === undefined);
  if (unknown.length === 0) {
    const states = names.flatMap((name) => statesOf(name) ?? []);
    return set(reading, 'states', [...new Set(states)]);
  }
  const all = [...RUN_STATES, ...Object.keys(STATE_GROUPS)];
  const meant = names.map((name) =>
    statesOf(name) === undefined ? (OTHER_NAMES[name] ?? nearest(name, all)) : name,
  );
  const which = unknown.map((name) => `"${name}"`).join(', ');
  const message =
    `state: ${which} ${unknown.length === 1 ? 'is no state' : 'are no states'}; there are ` +
    `${RUN_STATES.join(', ')}, and for several at once ${Object.keys(STATE_GROUPS).join(', ')}`;
  const better = meant.includes(undefined) ? null : `state:${meant.join(',')}`;
  wrong(reading, { message, instead: better && withWord(reading, word, better) });
}

function statesOf(name: string): readonly RunState[] | undefined {
  if (isRunState(name)) return [name];
  return Object.hasOwn(STATE_GROUPS, name) ? STATE_GROUPS[name] : undefined;
}

function readTrigger(reading: Reading, word: Word): void {
  const value = word.value.toLowerCase();
  const known = TRIGGERS.find((trigger) => trigger === value);
  if (known !== undefined) {
    return set(reading, 'trigger', known);
  }
  const near = nearest(value, TRIGGERS);
  const message = `trigger: "${word.value}" is none; there are ${TRIGGERS.join(', ')}`;
  wrong(reading, { message, instead: near ? withWord(reading, word, `trigger:${near}`) : null });
}

/** Since and until take in what they name: `since:today until:today` is all of today. */
function readTime(reading: Reading, word: Word, key: 'since' | 'until'): void {
  const found = timeOf(word.value.toLowerCase(), reading.now);
  if (found !== undefined) {
    reading.relative ||= found.relative;
    // The store leaves out what lies at its `since`.
    return set(reading, key, key === 'since' ? found.first - 1 : found.last);
  }
  const near = meantTime(word.value);
  const message =
    `${key}: "${word.value}" is no time; it takes a length of time back from now (2d, 36h, 90m), ` +
    'a day in UTC (2026-11-28, today, yesterday), or an instant (2026-11-28T08:00Z)';
  wrong(reading, { message, instead: near ? withWord(reading, word, `${key}:${near}`) : null });
}
