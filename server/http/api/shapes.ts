import * as v from 'valibot';
import { isoInstant, type Instant } from '../../core/time.ts';

/** Parts that several answers are made of. */

/** An instant as answers have it: RFC 3339, in UTC, to the millisecond. */
export const at = v.pipe(
  v.string(),
  v.metadata({ format: 'date-time', examples: ['2026-03-07T07:30:00.000Z'] }),
);

export const atOrNull = v.nullable(at);

export const iso = (instant: Instant | null): string | null =>
  instant === null ? null : isoInstant(instant);

export const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const textOrNull = v.nullable(v.string());

/** A field with words on what it says. */
export const says = <const S extends v.GenericSchema>(schema: S, description: string) =>
  v.pipe(schema, v.metadata({ description }));

export const fieldProblem = v.strictObject({
  path: says(
    v.string(),
    'Where: `/input/rows` in the body (a JSON pointer), `?limit` in the query, a header’s name, ' +
      'or the name of a part of the address; empty for the whole body.',
  ),
  message: v.string(),
});

/** What is answered instead, when something is not right (RFC 9457). */
export const problemShape = v.strictObject({
  type: says(v.string(), 'Which kind it is: an address, where it is told of. It never changes.'),
  title: v.string(),
  status: v.pipe(v.number(), v.integer()),
  detail: says(v.string(), 'What is not right, which, and what would be.'),
  errors: v.optional(
    says(v.array(fieldProblem), 'Everything that is wrong, each thing by itself.'),
  ),
});

/** Where the next page begins. */
export const next = says(
  textOrNull,
  'The `cursor` of the next page; null on the last one. A page may be short, or even empty, and ' +
    'not be the last.',
);
