import { isUtf8 } from 'node:buffer';
import type { FieldProblem } from './errors.ts';

/**
 * Reads JSON as RFC 8259 has it, and refuses what one reader takes for this and the next for that:
 * a key that stands twice, half a surrogate pair, a byte order mark, a number that comes to
 * Infinity; keys that mean something to JavaScript itself; and what is nested deeper than anybody
 * needs. It goes over the text once, from left to right, and never calls itself; to make the value
 * is then up to `JSON.parse`.
 */

/** The value; or what is wrong, with the JSON pointer (RFC 6901) of where. */
export type Read = { readonly value: unknown } | { readonly problem: FieldProblem };

/** How many objects and arrays may stand in one another. Forms and schemas need a few. */
export const DEPTH_LIMIT = 64;

/** Code that copies an object key by key would change what all objects have in common. */
const KEYS_REFUSED = ['__proto__', 'constructor', 'prototype'];
/** So much of a key or of a number is said again. */
const SHOWN = 100;

/** An object or array that is still open: its keys if it has any, and where in it we are. */
interface Level {
  readonly keys: Set<string> | null;
  step: string | number | null;
}

interface Scan {
  readonly text: string;
  at: number;
  readonly within: Level[];
}

/** What may come next in the text. */
type Want = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'after-value';
type Wrong = { readonly wrong: string };
type Step = Want | Wrong | 'done';

export function readStrictJson(bytes: Uint8Array): Read {
  if (!isUtf8(bytes)) return { problem: { path: '', message: 'is not UTF-8' } };
  const text = Buffer.from(bytes).toString();
  if (text.startsWith('\ufeff')) {
    return { problem: { path: '', message: 'begins with a byte order mark; send it without' } };
  }
  const scan: Scan = { text, at: 0, within: [] };
  let step: Step = 'value';
  while (typeof step === 'string') {
    if (step === 'done') return { value: JSON.parse(text) };
    step = STEPS[step](scan, nextSign(scan));
  }
  return { problem: { path: pointer(scan.within), message: step.wrong } };
}

/** Each is given the next sign, which is no space, and says what may come after what it took. */
const STEPS: Readonly<Record<Want, (scan: Scan, sign: string) => Step>> = {
  value(scan, sign) {
    if (sign === '{') return open(scan, new Set(), 'key-or-end');
    if (sign === '[') return open(scan, null, 'value-or-end');
    return (sign === '"' ? wrongText(scan) : wrongWord(scan)) ?? 'after-value';
  },
  'value-or-end': (scan, sign) => (sign === ']' ? close(scan) : nextItem(scan.within.at(-1))),
  'key-or-end': (scan, sign) => (sign === '}' ? close(scan) : 'key'),
  key(scan, sign) {
    if (sign !== '"') return unexpected(scan, 'a key in double quotes');
    const from = scan.at;
    const wrong = wrongText(scan) ?? wrongKey(scan, scan.text.slice(from, scan.at));
    if (wrong !== undefined) return wrong;
    if (nextSign(scan) !== ':') return unexpected(scan, '":"');
    scan.at += 1;
    return 'value';
  },
  'after-value'(scan, sign) {
    const level = scan.within.at(-1);
    if (level === undefined) return sign === '' ? 'done' : unexpected(scan, 'nothing more');
    const end = level.keys === null ? ']' : '}';
    if (sign === end) return close(scan);
    if (sign === ',') scan.at += 1;
    if (sign === ',' && level.keys === null) return nextItem(level);
    level.step = null;
    return sign === ',' ? 'key' : unexpected(scan, `"," or "${end}"`);
  },
};

function open(scan: Scan, keys: Level['keys'], want: Want): Step {
  if (scan.within.length === DEPTH_LIMIT) {
    return { wrong: `is nested too deeply: at most ${DEPTH_LIMIT} levels are read` };
  }
  scan.within.push({ keys, step: null });
  scan.at += 1;
  return want;
}

function close(scan: Scan): Step {
  scan.within.pop();
  scan.at += 1;
  return 'after-value';
}

function nextItem(list: Level | undefined): Step {
  if (list !== undefined) list.step = typeof list.step === 'number' ? list.step + 1 : 0;
  return 'value';
}

/** Goes past spaces, and gives the sign that it comes to; '' at the end. */
function nextSign(scan: Scan): string {
  for (;;) {
    const sign = scan.text.charAt(scan.at);
    if (sign !== ' ' && sign !== '\n' && sign !== '\r' && sign !== '\t') return sign;
    scan.at += 1;
  }
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y;
const WORD = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** Goes past a text, if there is nothing wrong with it. */
function wrongText(scan: Scan): Wrong | undefined {
  const from = scan.at;
  scan.at += 1;
  for (;;) {
    while (isPlain(scan.text.charCodeAt(scan.at))) scan.at += 1;
    const sign = scan.text.charAt(scan.at);
    if (sign === '"') break;
    if (sign === '') return unexpected(scan, 'the closing quote of a text');
    if (sign !== '\\') return unexpected(scan, 'a control character escaped, as in \\n or \\u000b');
    if (take(scan, ESCAPE) === '') return unexpected(scan, 'an escape such as \\n or \\u00e9');
  }
  scan.at += 1;
  const text: string = JSON.parse(scan.text.slice(from, scan.at));
  if (text.isWellFormed()) return undefined;
  return {
    wrong: 'has half a surrogate pair in a text; right would be \\u escapes of both halves',
  };
}

/** What a text may have in it as it is; false at the end. */
const isPlain = (code: number): boolean => code >= 0x20 && code !== 0x22 && code !== 0x5c;

/** Goes past a number, `true`, `false` or `null`. */
function wrongWord(scan: Scan): Wrong | undefined {
  const word = take(scan, WORD);
  if (word === '') return unexpected(scan, 'a value');
  if (Math.abs(Number(word)) !== Infinity) return undefined;
  return { wrong: `is ${clip(word)}; numbers go up to ${Number.MAX_VALUE}, larger ones as text` };
}

function wrongKey({ within }: Scan, text: string): Wrong | undefined {
  const key: string = JSON.parse(text);
  const level = within.at(-1);
  if (level !== undefined) level.step = key;
  if (KEYS_REFUSED.includes(key)) return { wrong: 'is a key that no object here may have' };
  if (level?.keys?.has(key) === true)
    return { wrong: 'is there twice; each key may be there once' };
  level?.keys?.add(key);
  return undefined;
}

function take(scan: Scan, pattern: RegExp): string {
  pattern.lastIndex = scan.at;
  const [found = ''] = pattern.exec(scan.text) ?? [];
  scan.at += found.length;
  return found;
}

function unexpected({ text, at }: Scan, right: string): Wrong {
  const code = text.codePointAt(at);
  const where =
    code === undefined
      ? 'it ends'
      : `${JSON.stringify(String.fromCodePoint(code))} at character ${at + 1},`;
  return { wrong: `is not JSON: ${where} where ${right} is expected` };
}

const pointer = (within: readonly Level[]): string =>
  within
    .flatMap(({ step }) => step ?? [])
    .map((step) => `/${clip(String(step)).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');

const clip = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
