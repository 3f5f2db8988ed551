import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, isPart, targetOf, type Part } from './json-schema.ts';
import { marksOf, secretnessOf, type Marks } from './secrets/marks.ts';

/*
 * What a form asks for, so that a person can start a run with an input: a field for each property
 * of the job's schema, where the schema can describe itself (Standard JSON Schema, which zod and
 * valibot have), and one JSON text where it can't. The schema itself still judges what is given.
 */

/** A value as a choice offers it. */
export type Scalar = string | number | boolean | null;

/** How one property is asked for. */
export type FieldKind =
  | { readonly kind: 'text'; readonly format: string | null; readonly maxLength: number | null }
  | {
      readonly kind: 'number';
      readonly whole: boolean;
      readonly min: number | null;
      readonly max: number | null;
    }
  /** Ticked or not: never left out. */
  | { readonly kind: 'flag' }
  | { readonly kind: 'choice'; readonly values: readonly Scalar[] }
  /** A list, one item a line. */
  | { readonly kind: 'lines'; readonly of: 'text' | 'number' }
  /** What fits no other: JSON text. */
  | { readonly kind: 'json' };

export type InputField = FieldKind & {
  /** The property. */
  readonly name: string;
  readonly label: string;
  readonly description: string | null;
  readonly required: boolean;
  readonly nullable: boolean;
  /** The schema's default; undefined where it has none, or where it is secret. */
  readonly preset: unknown;
  /** Secret as a whole, or something in it: what was filled in is not shown again. */
  readonly secret?: 'whole' | 'part';
};

export interface InputForm {
  /** Null where the input is written as one JSON text. */
  readonly fields: readonly InputField[] | null;
  /** The schema as JSON text; null where there is none, or it can't describe itself. */
  readonly schema: string | null;
}

/** More fields than this are no form. */
const FIELDS_LIMIT = 20;
const CHOICES_LIMIT = 100;
const WORDS_LIMIT = 160;
/** A schema that is longer tells a person little. */
const SCHEMA_LIMIT = 8000;
const REFS_LIMIT = 5;

/** The form of a job's schema; undefined stands for a job that takes anything. Never throws. */
export function inputForm(schema: StandardSchemaV1 | undefined): InputForm {
  if (schema === undefined) return { fields: null, schema: null };
  const described = describe(schema, { side: 'input', lenient: false });
  if (described === undefined) return { fields: null, schema: null };
  const text = JSON.stringify(described, null, 2) ?? '';
  const short = text.length <= SCHEMA_LIMIT ? text : `${text.slice(0, SCHEMA_LIMIT)}…`;
  return { fields: fieldsOf(described, marksOf(schema)), schema: short };
}

function fieldsOf(root: Part, marks: Marks): InputField[] | null {
  const whole = resolved(root, root);
  const { type, properties, required, additionalProperties } = whole;
  if (type !== 'object' || !isPart(properties)) return null;
  // A record of free keys has more to it than its fields.
  if (isPart(additionalProperties) || combines(whole)) return null;
  const names = Object.keys(properties);
  if (names.length === 0 || names.length > FIELDS_LIMIT) return null;
  const needed = Array.isArray(required) ? required : [];
  return names.map((name) => {
    const required = needed.includes(name);
    const field = fieldOf(name, properties[name], required, root);
    const secret = secretnessOf(marks, name);
    return secret === null
      ? field
      : { ...field, ...kept(field, secret), preset: undefined, secret };
  });
}

/** In one line, behind dots, stands a text or a number; and what else is secret as a whole. */
function kept(field: FieldKind, secret: 'whole' | 'part'): FieldKind {
  const inOneLine = field.kind === 'lines' || field.kind === 'json';
  return secret === 'whole' && inOneLine ? { kind: 'json' } : field;
}

const combines = (part: Part): boolean =>
  ['allOf', 'anyOf', 'oneOf', 'if', 'not', 'patternProperties'].some((key) => key in part);

function fieldOf(name: string, given: unknown, required: boolean, root: Part): InputField {
  const outer = isPart(given) ? resolved(given, root) : {};
  const { nullable, inner } = withoutNull(outer, root);
  const preset = 'default' in outer ? outer['default'] : inner['default'];
  const title = words(outer['title']) ?? words(inner['title']);
  const kind = withNull(kindOf(inner, root), nullable);
  const common = {
    name,
    label: title ?? name,
    description: words(outer['description']) ?? words(inner['description']),
    required,
    nullable,
    preset,
  };
  // Not ticked would be "no", where it may as well be left out.
  const asked = kind.kind !== 'flag' || (!nullable && (required || typeof preset === 'boolean'));
  if (asked) return { ...common, ...kind };
  return { ...common, ...withNull({ kind: 'choice', values: [true, false] }, nullable) };
}

/** What is chosen from a list is null by a choice of its own. */
const withNull = (kind: FieldKind, nullable: boolean): FieldKind =>
  kind.kind === 'choice' && nullable && !kind.values.includes(null)
    ? { ...kind, values: [...kind.values, null] }
    : kind;

function words(value: unknown): string | null {
  if (typeof value !== 'string' || value.trim() === '') return null;
  return value.length <= WORDS_LIMIT ? value : `${value.slice(0, WORDS_LIMIT)}…`;
}

/** Follows `$ref` within the schema; what leads elsewhere, or in circles, stays as it is. */
function resolved(part: Part, root: Part): Part {
  let at = part;
  for (let turn = 0; turn < REFS_LIMIT; turn++) {
    const { $ref: ref, ...rest } = at;
    const target = targetOf(ref, root);
    if (target === undefined) return at;
    at = { ...target, ...rest };
  }
  return at;
}

/** A schema that also takes null, without that. */
function withoutNull(part: Part, root: Part): { nullable: boolean; inner: Part } {
  const { type, anyOf, oneOf } = part;
  if (Array.isArray(type) && type.includes('null')) {
    const others = type.filter((one) => one !== 'null');
    return { nullable: true, inner: { ...part, type: others.length === 1 ? others[0] : others } };
  }
  const among = anyOf ?? oneOf;
  if (!Array.isArray(among)) return { nullable: false, inner: part };
  const parts = among.filter(isPart).map((one) => resolved(one, root));
  const others = parts.filter((one) => one['type'] !== 'null');
  const [only] = others;
  if (others.length === parts.length) return { nullable: false, inner: part };
  return { nullable: true, inner: others.length === 1 && only !== undefined ? only : part };
}

function kindOf(part: Part, root: Part): FieldKind {
  const choices = choicesOf(part, root);
  if (choices !== undefined) return { kind: 'choice', values: choices };
  if (combines(part)) return { kind: 'json' };
  switch (part['type']) {
    case 'string':
      return {
        kind: 'text',
        format: typeof part['format'] === 'string' ? part['format'] : null,
        maxLength: numberIn(part, 'maxLength'),
      };
    case 'integer':
    case 'number':
      return {
        kind: 'number',
        whole: part['type'] === 'integer',
        min: numberIn(part, 'minimum'),
        max: numberIn(part, 'maximum'),
      };
    case 'boolean':
      return { kind: 'flag' };
    case 'array':
      return linesOf(part, root);
    default:
      return { kind: 'json' };
  }
}

function linesOf({ items }: Part, root: Part): FieldKind {
  const item = isPart(items) ? resolved(items, root) : {};
  if (combines(item)) return { kind: 'json' };
  if (item['type'] === 'string') return { kind: 'lines', of: 'text' };
  const number = item['type'] === 'number' || item['type'] === 'integer';
  return number ? { kind: 'lines', of: 'number' } : { kind: 'json' };
}

function numberIn(part: Part, key: string): number | null {
  const value = part[key];
  // Libraries write the bounds of safe integers out, which tell nobody anything.
  const telling = typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  return telling ? value : null;
}

/** `enum`, `const`, or a union of these; undefined for anything else. */
function choicesOf(part: Part, root: Part): Scalar[] | undefined {
  if ('const' in part) return scalars([part['const']]);
  if (Array.isArray(part['enum'])) return scalars(part['enum']);
  const among = part['anyOf'] ?? part['oneOf'];
  if (!Array.isArray(among)) return undefined;
  const found = among.filter(isPart).map((one) => choicesOf(resolved(one, root), root));
  const all = found.flatMap((one) => one ?? []);
  return found.length === among.length && !found.includes(undefined) ? scalars(all) : undefined;
}

function scalars(values: readonly unknown[]): Scalar[] | undefined {
  const found = values.filter(isScalar);
  const usable = found.length === values.length && found.length > 0;
  return usable && found.length <= CHOICES_LIMIT ? found : undefined;
}

const isScalar = (value: unknown): value is Scalar =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);
