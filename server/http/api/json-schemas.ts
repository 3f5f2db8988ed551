import { toJsonSchemaDefs, type ConversionConfig } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { COMPONENTS } from './components.ts';
import type { Endpoint, Fields } from './endpoint.ts';

/** A schema as JSON Schema, which is what OpenAPI 3.1 has. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** All schemas of the endpoints: those that have a name, and for each what it refers to. */
export interface Schemas {
  readonly components: Readonly<Record<string, JsonSchema>>;
  /** Of one that was given when these were made. */
  of(schema: v.GenericSchema): JsonSchema;
  /** Of fields: each by its name, and which must be there. */
  fields(fields: Fields): {
    readonly properties: Readonly<Record<string, JsonSchema>>;
    readonly required: readonly string[];
  };
}

const CONFIG: Omit<ConversionConfig, 'definitions'> = {
  target: 'draft-2020-12',
  // What comes in is described as it is sent, not as it is read.
  typeMode: 'input',
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
};

/** Converts the schemas of endpoints in one go, so that they refer to one another by name. */
export function schemasOf(endpoints: readonly Endpoint[]): Schemas {
  const all = new Map<v.GenericSchema, string>();
  for (const [name, schema] of Object.entries(COMPONENTS)) all.set(schema, name);
  const objects = new Map<Fields, v.GenericSchema>();
  const add = (schema: v.GenericSchema): void => {
    if (!all.has(schema)) all.set(schema, `~${all.size}`);
  };
  for (const { parts, answers } of endpoints) {
    for (const fields of Object.values<Fields>({ ...parts })) {
      const object = v.strictObject(fields);
      objects.set(fields, object);
      add(object);
    }
    for (const { schema } of Object.values(answers)) if (schema !== null) add(schema);
  }
  const converted = plain(
    toJsonSchemaDefs(Object.fromEntries([...all].map(([schema, name]) => [name, schema])), CONFIG),
  );
  const isNamed = (name: string): boolean => Object.hasOwn(COMPONENTS, name);
  const of = (schema: v.GenericSchema): JsonSchema => {
    const name = all.get(schema) ?? '';
    return isNamed(name) ? { $ref: `#/components/schemas/${name}` } : (converted[name] ?? {});
  };
  return {
    components: Object.fromEntries(Object.entries(converted).filter(([name]) => isNamed(name))),
    of,
    fields(fields) {
      const object = objects.get(fields);
      const { properties = {}, required = [] } = plain(object === undefined ? {} : of(object));
      return { properties: plain(properties), required: names(required) };
    },
  };
}

/** What is written as JSON anyway. */
function plain(value: object): Record<string, JsonSchema> {
  const read: Record<string, JsonSchema> = JSON.parse(JSON.stringify(value));
  return read;
}

const names = (list: unknown): string[] =>
  Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [];
