import type { ApiView, EndpointView, FieldRow, TypePart } from '../../../views/api.ts';
import type { Described, Endpoint, Fields } from './endpoint.ts';
import { schemasOf, type JsonSchema, type Schemas } from './json-schemas.ts';
import { ownProblems, problems, sharedProblems } from './problems.ts';

/** What the page on the API shows: the same as the document, in words. */
export function docsOf(endpoints: readonly Endpoint[]): ApiView {
  const schemas = schemasOf(endpoints);
  const groups = Map.groupBy(endpoints, ({ group }) => group);
  return {
    groups: [...groups].map(([name, those]) => ({
      name,
      endpoints: those.map((endpoint) => endpointView(endpoint, schemas)),
    })),
    shapes: Object.entries(schemas.components).map(([name, schema]) => ({
      name,
      fields: rowsOf(schema),
    })),
    shared: sharedProblems,
    problems,
  };
}

function endpointView(endpoint: Endpoint, schemas: Schemas): EndpointView {
  const { method, path, id, summary, description, parts, answers, problems: own } = endpoint;
  const same = { method, id, summary, description };
  return {
    ...same,
    path: `/api/v1${path === '/' ? '' : path}`,
    given: [
      { place: 'In the address', fields: given(parts.params, schemas) },
      { place: 'In the query', fields: given(parts.query, schemas) },
      { place: 'Headers', fields: given(parts.headers, schemas) },
      { place: 'In the body', fields: given(parts.body, schemas) },
    ].filter(({ fields }) => fields.length > 0),
    answers: Object.entries(answers).map(([status, answer]) => ({
      status,
      description: answer.description,
      ...shapeOf(answer, schemas),
      headers: Object.entries(answer.headers ?? {}),
    })),
    problems: ownProblems(own),
  };
}

function given(fields: Fields, schemas: Schemas): FieldRow[] {
  const { properties, required } = schemas.fields(fields);
  return Object.entries(properties).flatMap(([name, schema]) =>
    rowsFor(name, schema, required.includes(name)),
  );
}

/** The one shape that an answer has, or the fields that are its own. */
function shapeOf({ schema, otherwise }: Described, schemas: Schemas) {
  const own = schema === null ? {} : schemas.of(schema);
  const type: TypePart[] = '$ref' in own ? typeOf(own) : [];
  const or = otherwise === undefined ? [] : [schema === null ? otherwise : ` or ${otherwise}`];
  return { type: [...type, ...or], fields: rowsOf(own) };
}

/** A row for each field of an object, and for those of objects within it that have no name. */
function rowsOf(schema: JsonSchema): FieldRow[] {
  const { properties, required } = schema;
  const needed: readonly unknown[] = Array.isArray(required) ? required : [];
  return Object.entries(Object(properties)).flatMap(([name, field]) =>
    isSchema(field) ? rowsFor(name, field, needed.includes(name)) : [],
  );
}

function rowsFor(name: string, schema: JsonSchema, required: boolean): FieldRow[] {
  const { description } = schema;
  const row: FieldRow = {
    name,
    required,
    type: typeOf(schema),
    description: typeof description === 'string' ? description : '',
  };
  const within = objectIn(schema);
  if (within === undefined) return [row];
  const inner = rowsOf(within.schema);
  return [
    row,
    ...inner.map((one) => ({ ...one, name: `${name}${within.list ? '[]' : ''}.${one.name}` })),
  ];
}

/** An object without a name of its own that a field is, or may be, or is a list of. */
function objectIn(schema: JsonSchema): { schema: JsonSchema; list: boolean } | undefined {
  if (isSchema(schema['properties'])) return { schema, list: false };
  const { items } = schema;
  if (isSchema(items) && isSchema(items['properties'])) return { schema: items, list: true };
  const found = choicesOf(schema).find((one) => isSchema(one['properties']));
  return found === undefined ? undefined : { schema: found, list: false };
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const choicesOf = ({ anyOf }: JsonSchema): JsonSchema[] =>
  Array.isArray(anyOf) ? anyOf.filter(isSchema) : [];

/** What a value has to be, in words. */
function typeOf(schema: JsonSchema): TypePart[] {
  const { $ref: ref, type, items, format, const: only, default: preset } = schema;
  if (typeof ref === 'string') return [{ shape: ref.split('/').at(-1) ?? '' }];
  const choices = choicesOf(schema);
  if (choices.length > 0) {
    return choices.flatMap((one, i) => [...(i === 0 ? [] : [' or ']), ...typeOf(one)]);
  }
  if (only !== undefined) return [JSON.stringify(only)];
  if (Array.isArray(schema['enum'])) return [schema['enum'].join(', ')];
  if (type === 'array') return ['list of ', ...(isSchema(items) ? typeOf(items) : [])];
  if (type === 'integer') {
    const given = typeof preset === 'string' ? `; ${preset} if not given` : '';
    return [`${numberWords(schema)}${given}`];
  }
  if (type === 'string') return [format === 'date-time' ? 'instant' : 'text'];
  if (type === 'object') return objectWords(schema);
  return [typeof type === 'string' ? (WORDS[type] ?? type) : 'any JSON'];
}

const WORDS: Readonly<Record<string, string>> = { boolean: 'true or false', null: 'null' };

function numberWords({ minimum, maximum }: JsonSchema): string {
  if (typeof minimum !== 'number') return 'whole number';
  return typeof maximum === 'number'
    ? `whole number, ${minimum} to ${maximum}`
    : `whole number from ${minimum}`;
}

function objectWords({ additionalProperties: each }: JsonSchema): TypePart[] {
  return isSchema(each) ? ['object of names, each with ', ...typeOf(each)] : ['object'];
}
