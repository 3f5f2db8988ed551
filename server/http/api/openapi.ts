import { readFileSync } from 'node:fs';
import type { Described, Endpoint, Fields } from './endpoint.ts';
import { schemasOf, type JsonSchema, type Schemas } from './json-schemas.ts';
import { ownProblems, sharedProblems, type Problem } from './problems.ts';

/** The OpenAPI 3.1 document, made of the endpoints. */

type Json = Readonly<Record<string, unknown>>;

const { version }: { readonly version: string } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
);

const ABOUT =
  'Jobs, runs and what became of them, as JSON. Instants are RFC 3339, in UTC. What is not known ' +
  'is refused: fields of a body, and names of a query. Every answer that is none is a problem ' +
  '(RFC 9457), whose `type` tells which.';

const GROUPS: Readonly<Record<Endpoint['group'], string>> = {
  Jobs: 'What there is to run, and when.',
  Runs: 'What ran, or did not, and why.',
  Backfills: 'Runs for a stretch of the past.',
  History: 'What was done, and what comes.',
  Service: 'The service itself.',
};

/** The document as an object; `/api/v1/openapi.json` is its text. */
export function makeDocument(endpoints: readonly Endpoint[]): Json {
  const schemas = schemasOf(endpoints);
  const paths: Record<string, Record<string, Json>> = {};
  for (const endpoint of endpoints) {
    const path = (paths[endpoint.path] ??= {});
    path[endpoint.method.toLowerCase()] = operationOf(endpoint, schemas);
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Punctual',
      version,
      description: ABOUT,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ bearer: [] }, { session: [] }, {}],
    tags: Object.entries(GROUPS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: schemas.components,
      responses: problemResponses(sharedProblems, (status) => `Problem${status}`),
      securitySchemes: SECURITY,
    },
  };
}

const SECURITY = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description:
      'A token of the service, or what Google has signed for an account. The role `viewer` may ' +
      'with GET, `operator` all. Where no credentials are configured, this machine needs none.',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'punctual-session',
    description:
      'Of somebody who has signed in with a browser; over HTTPS its name begins with `__Host-`. ' +
      'What changes something needs the `X-CSRF-Token` of a page, too.',
  },
} as const;

function operationOf(endpoint: Endpoint, schemas: Schemas): Json {
  const { id, group, summary, description, parts } = endpoint;
  const parameters = [
    ...parametersIn('path', parts.params, schemas),
    ...parametersIn('query', parts.query, schemas),
    ...parametersIn('header', parts.headers, schemas),
  ];
  return {
    operationId: id,
    tags: [group],
    summary,
    description,
    ...(parameters.length > 0 && { parameters }),
    ...bodyOf(parts.body, schemas),
    responses: {
      ...Object.fromEntries(
        Object.entries(endpoint.answers).map(([status, answer]) => [
          status,
          responseOf(answer, schemas),
        ]),
      ),
      ...problemResponses(ownProblems(endpoint.problems), String),
      ...SHARED,
    },
  };
}

function parametersIn(
  place: 'path' | 'query' | 'header',
  fields: Fields,
  schemas: Schemas,
): Json[] {
  const { properties, required } = schemas.fields(fields);
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    description,
    required: required.includes(name),
    // Several values stand in one, with commas between them.
    ...(schema['type'] === 'array' && { style: 'form', explode: false }),
    schema: withNumber(schema),
  }));
}

/** What is preset is text here, as whoever asks would send it. */
const withNumber = (schema: JsonSchema): JsonSchema =>
  schema['type'] === 'integer' && typeof schema['default'] === 'string'
    ? { ...schema, default: Number(schema['default']) }
    : schema;

function bodyOf(fields: Fields, schemas: Schemas): Json {
  const { properties, required } = schemas.fields(fields);
  if (Object.keys(properties).length === 0) return {};
  const needs = required.length > 0 && { required };
  const schema = { type: 'object', properties, ...needs, additionalProperties: false };
  return {
    requestBody: { required: required.length > 0, content: { 'application/json': { schema } } },
  };
}

function responseOf({ description, schema, otherwise, headers = {} }: Described, schemas: Schemas) {
  const text = { schema: { type: 'string' } };
  return {
    description,
    ...(Object.keys(headers).length > 0 && {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, says]) => [
          name,
          { description: says, schema: { type: 'string' } },
        ]),
      ),
    }),
    content: {
      ...(schema !== null && { 'application/json': { schema: schemas.of(schema) } }),
      ...(otherwise !== undefined && { [otherwise]: text }),
    },
  };
}

/** What any endpoint may answer. */
const SHARED: Json = Object.fromEntries(
  sharedProblems.map(({ status }) => [status, { $ref: `#/components/responses/Problem${status}` }]),
);

/** One response for each status, which says which problems it may be. */
function problemResponses(problems: readonly Problem[], nameOf: (status: number) => string): Json {
  const byStatus = Map.groupBy(problems, ({ status }) => status);
  return Object.fromEntries(
    [...byStatus].map(([status, those]) => [
      nameOf(status),
      {
        description: those.map(({ title, means }) => `${title}: ${means}`).join(' '),
        content: {
          'application/problem+json': {
            schema: {
              allOf: [
                { $ref: '#/components/schemas/Problem' },
                { properties: { type: { enum: those.map(({ type }) => type) } } },
              ],
            },
          },
        },
      },
    ]),
  );
}
