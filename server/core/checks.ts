import { LAST_INSTANT } from './time.ts';

/*
 * Parts of which a check of a stored value is made: structure only, and quick, since every record
 * that is read goes through one.
 */

/** What is wrong, and where: path "active.abc.fence", what `is "7", not a number`. */
export interface Fault {
  readonly path: string;
  readonly what: string;
}

/** Undefined where the value is right; a check makes no objects then, for it runs on every read. */
export type Check = (value: unknown) => Fault | undefined;
/** Names every field of a type, so that a field added to the type and not here fails to compile. */
export type Fields<Type> = { readonly [Field in keyof Type]-?: Check };

export const NOT_THERE: Fault = { path: '', what: 'is missing' };

export const text: Check = (value) =>
  typeof value === 'string' ? undefined : wrong(value, 'a text');

export const textUpTo =
  (most: number): Check =>
  (value) => {
    if (typeof value !== 'string') return wrong(value, 'a text');
    return value.length <= most ? undefined : wrong(value, `at most ${most} characters`);
  };

/** A name or a note: one that is longer nobody gave, and it would fill each page it stands on. */
export const words = textUpTo(1000);

export const flag: Check = (value) =>
  typeof value === 'boolean' ? undefined : wrong(value, 'a boolean');
export const number =
  (least: number, most: number): Check =>
  (value) => {
    if (typeof value !== 'number') return wrong(value, 'a number');
    return value >= least && value <= most ? undefined : wrong(value, `${least} to ${most}`);
  };

const integer =
  (least: number, most: number, expected: string): Check =>
  (value) => {
    if (typeof value !== 'number') return wrong(value, 'a number');
    if (value >= least && value <= most && Number.isInteger(value)) return undefined;
    return wrong(value, expected);
  };

const MOST = Number.MAX_SAFE_INTEGER;
export const count = integer(0, MOST, 'a whole number from 0');
export const fromOne = integer(1, MOST, 'a whole number from 1');
export const whole = integer(-MOST, MOST, 'a whole number');
export const instant = integer(-LAST_INSTANT, LAST_INSTANT, 'an instant in ms since 1970');
export const length = number(0, MOST);

export function oneOf(options: readonly string[]): Check {
  const known = new Set<unknown>(options);
  const expected = `one of ${options.join(', ')}`;
  return (value) => (known.has(value) ? undefined : wrong(value, expected));
}

/** For a field that records of earlier versions lack. */
export const absentOr =
  (check: Check): Check =>
  (value) =>
    value === undefined ? undefined : check(value);

export const nullable =
  (check: Check): Check =>
  (value) =>
    value === null ? undefined : check(value);

export function object(fields: Readonly<Record<string, Check>>): Check {
  const entries = Object.entries(fields);
  return (value) => {
    if (!isObject(value)) return wrong(value, 'an object');
    for (const [key, check] of entries) {
      const field = value[key];
      const fault = check(field);
      if (fault !== undefined) return under(key, field === undefined ? NOT_THERE : fault);
    }
    return undefined;
  };
}

export const listOf =
  (check: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return wrong(value, 'a list');
    for (let i = 0; i < value.length; i += 1) {
      const fault = check(value[i]);
      if (fault !== undefined) return under(String(i), fault);
    }
    return undefined;
  };

export const mapOf =
  (check: Check, key: Check): Check =>
  (value) => {
    if (!isObject(value)) return wrong(value, 'an object');
    for (const name of Object.keys(value)) {
      const fault = key(name) ?? check(value[name]);
      if (fault !== undefined) return under(name, fault);
    }
    return undefined;
  };

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function under(key: string, { path, what }: Fault): Fault {
  const name = key.length <= KEY_SHOWN ? key : `${key.slice(0, KEY_SHOWN)}…`;
  return { path: path === '' ? name : `${name}.${path}`, what };
}

const KEY_SHOWN = 100;

function wrong(value: unknown, expected: string): Fault {
  return { path: '', what: `is ${shown(value)}, not ${expected}` };
}

/** Enough of a value to recognise it by. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'an object';
  const json = JSON.stringify(value) ?? 'undefined';
  return json.length <= 40 ? json : `${json.slice(0, 40)}…`;
}
