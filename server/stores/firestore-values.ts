import type { Instant } from '../core/time.ts';
import { secondsOf } from '../google.ts';
import type { Fields, Timestamp, Value } from './firestore-types.ts';

/*
 * How plain data become fields of a Firestore document, and back. Integers are kept as such, so
 * that they are ordered; nothing else of Firestore's types is used but the time stamp that the
 * server itself puts in.
 */

/** What a document is written as: its fields, and where the server puts the time of the request. */
export interface Encoded {
  readonly fields: Fields;
  readonly stamped: readonly string[];
}

/**
 * Encodes an object. `NaN` stands for "the time of the request". The server can't put that into an
 * array, so an array that holds one is written as a map of its places; `listOf` reads both.
 */
export function encode(object: object): Encoded {
  const stamped: string[] = [];
  return { fields: encodeFields(object, '', stamped), stamped };
}

function encodeFields(object: object, under: string, stamped: string[]): Fields {
  const fields: Fields = {};
  for (const [name, part] of Object.entries(object)) {
    if (part === undefined) continue;
    const path = `${under}${quoted(name)}`;
    if (Number.isNaN(part)) stamped.push(path);
    else fields[name] = encodeValue(part, path, stamped);
  }
  return fields;
}

/** A plain value, with nothing in it for the server to stamp. */
export const valueOf = (part: unknown): Value => encodeValue(part, '', []);

function encodeValue(part: unknown, path: string, stamped: string[]): Value {
  // Not every JavaScript string can be sent as UTF-8.
  if (typeof part === 'string') return { stringValue: part.toWellFormed() };
  if (typeof part === 'boolean') return { booleanValue: part };
  if (typeof part === 'number') {
    return Number.isSafeInteger(part) ? { integerValue: part } : { doubleValue: part };
  }
  if (part === null) return { nullValue: 'NULL_VALUE' };
  if (part instanceof Date) return { timestampValue: secondsOf(part.getTime()) };
  if (Array.isArray(part) && !holdsStamp(part)) {
    return { arrayValue: { values: part.map((one) => encodeValue(one, path, stamped)) } };
  }
  if (typeof part === 'object') {
    return { mapValue: { fields: encodeFields(part, `${path}.`, stamped) } };
  }
  throw new TypeError(`${path} is a ${typeof part}, which can't be stored`);
}

const holdsStamp = (part: unknown): boolean =>
  typeof part === 'object' && part !== null
    ? Object.values(part).some(holdsStamp)
    : Number.isNaN(part);

const quoted = (name: string): string =>
  /^[A-Za-z_]\w*$/.test(name) ? name : `\`${name.replaceAll(/[\\`]/g, '\\$&')}\``;

/** A document's fields as plain data. */
export function decode(fields: Fields | null | undefined): Record<string, unknown> {
  const entries = Object.entries(fields ?? {}).map(([name, value]) => [name, decodeValue(value)]);
  return Object.fromEntries(entries);
}

function decodeValue(value: Value): unknown {
  const set = <Type>(one: Type | null | undefined): one is Type =>
    one !== undefined && one !== null;
  if (set(value.integerValue)) return Number(value.integerValue.toString());
  if (set(value.stringValue)) return value.stringValue;
  if (set(value.booleanValue)) return value.booleanValue;
  if (set(value.timestampValue)) return instantOf(value.timestampValue);
  if (set(value.mapValue)) return decode(value.mapValue.fields);
  if (set(value.arrayValue)) return (value.arrayValue.values ?? []).map(decodeValue);
  if (set(value.doubleValue)) return value.doubleValue;
  if (set(value.referenceValue)) return value.referenceValue;
  return null;
}

/** A list, also where it was written as a map of its places; anything else as it is. */
export function listOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.entries(value)
    .toSorted(([a], [b]) => Number(a) - Number(b))
    .map(([, part]: [string, unknown]) => part);
}

/** Whole milliseconds: what is left of one is cut off. */
export const instantOf = ({ seconds, nanos }: Timestamp): Instant =>
  Number(seconds?.toString() ?? 0) * 1000 + Math.floor((nanos ?? 0) / 1_000_000);

/** A time stamp as text that keeps all of it. */
export const stampText = ({ seconds, nanos }: Timestamp): string =>
  `${seconds?.toString() ?? 0}.${nanos ?? 0}`;

/** Reads what `stampText` wrote; undefined for anything else. */
export function stampFrom(text: string): Timestamp | undefined {
  const [, seconds, nanos] = /^(\d{1,15})\.(\d{1,9})$/.exec(text) ?? [];
  return seconds === undefined ? undefined : { seconds, nanos: Number(nanos) };
}
