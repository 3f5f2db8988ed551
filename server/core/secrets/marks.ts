import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, pointerStep } from '../json-schema.ts';
import { hintsAtSecret } from './hints.ts';
import {
  closureOf,
  isMarked,
  lostRefs,
  mentionsMark,
  reachable,
  underIndex,
  underKey,
  type Place,
} from './schema-walk.ts';

/*
 * Which parts of a value its schema marks as secret: `secret: true` (valibot's metadata, zod's
 * meta), `writeOnly: true` or `format: 'password'`, at any depth. A place is secret once one branch
 * of the schema that may hold there says so, of what the schema takes in or of what it makes of it.
 * It depends on the place alone and never on the value, so that what was encrypted is found again
 * where it was.
 */

/** What a schema says of a value as a whole; null stands for a schema that marks nothing. */
export type Marks = readonly Place[] | null;

/** Deeper than this, all that the schema still speaks of counts as secret: no walk is endless. */
const DEPTH_LIMIT = 100;

interface Known {
  readonly marks: Marks;
  readonly problem: string | null;
}

const known = new WeakMap<StandardSchemaV1, Known>();

/** The marks of a schema. Throws where it can't be told what is secret (`marksProblem`). */
export function marksOf(schema: StandardSchemaV1 | undefined): Marks {
  const { marks, problem } = look(schema);
  if (problem !== null) throw new Error(`its schema ${problem}`);
  return marks;
}

/** Why it can't be told what a schema marks as secret, although it marks something; else null. */
export const marksProblem = (schema: StandardSchemaV1 | undefined): string | null =>
  look(schema).problem;

function look(schema: StandardSchemaV1 | undefined): Known {
  if (schema === undefined) return { marks: null, problem: null };
  const before = known.get(schema);
  if (before !== undefined) return before;
  const found = lookAt(schema);
  known.set(schema, found);
  return found;
}

function lookAt(schema: StandardSchemaV1): Known {
  const roots = (['input', 'output'] as const)
    .map((side) => describe(schema, { side, lenient: true }))
    .filter((root) => root !== undefined)
    .map((root) => ({ part: root, root }));
  if (roots.length === 0 && hintsAtSecret(schema)) {
    const problem =
      'marks something as secret and does not describe itself, so that nobody can tell what; ' +
      'right would be Standard JSON Schema, as toStandardJsonSchema of @valibot/to-json-schema ' +
      'makes it of a valibot schema';
    return { marks: null, problem };
  }
  if (!roots.some(({ root }) => mentionsMark(root))) return { marks: null, problem: null };
  const all = roots.flatMap(reachable);
  const [lost] = lostRefs(all);
  if (lost !== undefined) {
    const problem =
      `refers to ${JSON.stringify(lost)}, which is not in it, so that nobody can tell what is ` +
      'secret there; right would be a reference such as "#/$defs/name"';
    return { marks: null, problem };
  }
  return { marks: all.some(isMarked) ? closureOf(roots) : null, problem: null };
}

/** Takes a part out of the value that it stands in, where `replaceMarked` is given it. */
export const LEFT_OUT = Symbol('left out');

/**
 * A copy of a value of JSON with each secret part replaced, given its JSON pointer. What is secret
 * as a whole is replaced as a whole.
 */
export function replaceMarked(
  marks: Marks,
  value: unknown,
  replace: (part: unknown, pointer: string) => unknown,
): unknown {
  const walk = (places: readonly Place[], part: unknown, at: readonly string[]): unknown => {
    if (places.length === 0) return part;
    if (isSecretAt(places, at.length)) return replace(part, at.join(''));
    if (typeof part !== 'object' || part === null) return part;
    if (Array.isArray(part)) {
      const items = part.map((item: unknown, i) =>
        walk(underIndex(places, i), item, [...at, pointerStep(i)]),
      );
      return items.filter((item) => item !== LEFT_OUT);
    }
    const entries = Object.entries(part).map(
      ([key, inner]) =>
        [key, walk(underKey(places, key), inner, [...at, pointerStep(key)])] as const,
    );
    return Object.fromEntries(entries.filter(([, inner]) => inner !== LEFT_OUT));
  };
  const replaced = walk(marks ?? [], value, []);
  return replaced === LEFT_OUT ? undefined : replaced;
}

const isSecretAt = (places: readonly Place[], depth: number): boolean =>
  depth > DEPTH_LIMIT || places.some(isMarked);

/** A schema makes nothing of an input that has more in it than this. */
const LOOK_LIMIT = 100_000;

/** The secret parts of whatever a schema made of a value, which need not be JSON. */
export function markedIn(marks: Marks, value: unknown): unknown[] {
  const found: unknown[] = [];
  let looked = 0;
  const walk = (places: readonly Place[], part: unknown, depth: number): void => {
    if (places.length === 0 || ++looked > LOOK_LIMIT) return;
    if (isSecretAt(places, depth)) return void found.push(part);
    if (typeof part !== 'object' || part === null) return;
    const isList = Array.isArray(part);
    for (const [key, inner] of Object.entries(part)) {
      walk(isList ? underIndex(places, Number(key)) : underKey(places, key), inner, depth + 1);
    }
  };
  walk(marks ?? [], value, 0);
  return found;
}

/**
 * How many steps of a path lead to what is secret as a whole; undefined where it leads to nothing
 * that is.
 */
export function secretDepth(marks: Marks, path: readonly string[]): number | undefined {
  let places = marks ?? [];
  for (let depth = 0; places.length > 0; depth++) {
    if (isSecretAt(places, depth)) return depth;
    const key = path[depth];
    if (key === undefined) return undefined;
    const asItem = /^\d{1,9}$/.test(key) ? underIndex(places, Number(key)) : [];
    places = closureOf([...underKey(places, key), ...asItem]);
  }
  return undefined;
}

/** Whether a property is secret as a whole or in part; null where nothing in it is. */
export function secretnessOf(marks: Marks, property: string): 'whole' | 'part' | null {
  const places = underKey(marks ?? [], property);
  if (places.some(isMarked)) return 'whole';
  return places.flatMap(reachable).some(isMarked) ? 'part' : null;
}
