import type { StandardSchemaV1 } from '@standard-schema/spec';

/** What a schema says of itself, where it can: Standard JSON Schema, which zod and valibot have. */

/** A schema as JSON Schema has it, or a part of one. */
export type Part = Readonly<Record<string, unknown>>;

export const isPart = (value: unknown): value is Part =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What JSON Schema has no word for is left out: valibot's word for that, and zod's. */
const LENIENT = { errorMode: 'ignore', unrepresentable: 'any' } as const;

/**
 * JSON Schema of what a schema takes in, or of what it makes of it; undefined where it does not
 * say. Never throws. Leniently described, a part that JSON Schema can't express is just left open.
 */
export function describe(
  schema: StandardSchemaV1,
  { side, lenient }: { readonly side: 'input' | 'output'; readonly lenient: boolean },
): Part | undefined {
  try {
    const converter: unknown = Reflect.get(schema['~standard'], 'jsonSchema');
    const convert: unknown = Reflect.get(Object(converter), side);
    if (typeof convert !== 'function') return undefined;
    const options = { target: 'draft-2020-12', ...(lenient && { libraryOptions: LENIENT }) };
    const made: unknown = Reflect.apply(convert, converter, [options]);
    // Its own text, so that nothing in it is anything but data.
    const plain: unknown = JSON.parse(JSON.stringify(made));
    return isPart(plain) ? plain : undefined;
  } catch {
    // It says of itself that it can't: a schema may hold what JSON has no word for.
    return undefined;
  }
}

/** What a `$ref` leads to within its schema; undefined where it leads elsewhere. */
export function targetOf(ref: unknown, root: Part): Part | undefined {
  if (typeof ref !== 'string' || !/^#(?:\/|$)/.test(ref)) return undefined;
  let at: unknown = root;
  for (const step of ref.split('/').slice(1)) {
    const key = unescaped(step);
    at = ownIn(at, key);
  }
  return isPart(at) ? at : undefined;
}

/** What a value has of its own under a key; undefined for nothing. */
export const ownIn = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;

/** A step of a JSON pointer in the fragment of a URL. */
function unescaped(step: string): string {
  let text = step;
  try {
    text = decodeURIComponent(step);
  } catch {
    // A lone per cent sign stands for itself.
  }
  return text.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** A step of a JSON pointer. */
export const pointerStep = (key: string | number): string =>
  `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
