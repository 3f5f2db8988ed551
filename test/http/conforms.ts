import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { ENDPOINTS } from '../../server/http/api/endpoints.ts';
import { makeDocument } from '../../server/http/api/openapi.ts';
import type { Answer } from './client.ts';

/**
 * Holds every answer of the API that a test sees to what the OpenAPI document says: that the
 * address may answer so, as such content, in this shape.
 */

/** The document as it is served, with as much of its form as is looked into here. */
export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, unknown>>;
    readonly responses: Readonly<Record<string, Response>>;
  };
}

export interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, Response | { readonly $ref: string }>>;
}

interface Response {
  readonly content?: Readonly<Record<string, unknown>>;
}

export const apiDocument: Document = JSON.parse(JSON.stringify(makeDocument(ENDPOINTS)));

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(apiDocument, 'api');
const known = new Map<string, ValidateFunction>();

function errorsOf(place: string, body: unknown): string | undefined {
  const check = known.get(place) ?? ajv.compile({ $ref: `api#${place}` });
  known.set(place, check);
  return check(body) ? undefined : ajv.errorsText(check.errors, { separator: '\n  ' });
}

const pointer = (...steps: readonly string[]): string =>
  steps
    .map((one) => `/${encodeURIComponent(one.replaceAll('~', '~0').replaceAll('/', '~1'))}`)
    .join('');

/** Throws for an answer that is not as the document has it. Others than the API's pass. */
export function assertConforms(method: string, url: string, answer: Answer): void {
  const path = /^\/api\/v1(?<below>\/[^?#]*)?(?:[?#]|$)/.exec(url);
  if (path === null) return;
  const fault = faultOf(method, path.groups?.['below'] ?? '/', answer);
  if (fault === undefined) return;
  const said = answer.text.slice(0, 2000);
  throw new Error(`${method} ${url} answered ${answer.status}, ${fault}\n${said}`);
}

function faultOf(method: string, below: string, answer: Answer): string | undefined {
  const { status, headers } = answer;
  const asked = method === 'HEAD' ? 'get' : method.toLowerCase();
  const found = templateOf(below);
  if (asked === 'options') return status === 204 ? undefined : 'where only 204 would be right';
  const operation = found === undefined ? undefined : apiDocument.paths[found]?.[asked];
  if (found === undefined || operation === undefined) {
    const right = found === undefined ? [400, 401, 403, 404, 414] : [401, 403, 405];
    if (!right.includes(status)) return `where it has no ${asked}`;
    return problemFault(answer, '/components/schemas/Problem');
  }
  if (status === 304) return undefined;
  const response = operation.responses[status];
  if (response === undefined) return 'which the document does not list';
  const [place, { content = {} }] = resolved(response, [
    'paths',
    found,
    asked,
    'responses',
    `${status}`,
  ]);
  const type = (headers.get('content-type') ?? '').split(';')[0] ?? '';
  if (content[type] === undefined) return `as ${type}, which the document does not list`;
  if (method === 'HEAD' || !type.endsWith('json')) return undefined;
  const schema = place + pointer('content', type, 'schema');
  if (status >= 400) return problemFault(answer, schema);
  const errors = errorsOf(schema, answer.body);
  return errors === undefined ? undefined : `which is not of its shape:\n  ${errors}`;
}

function problemFault({ headers, status, body }: Answer, schema: string): string | undefined {
  const type = headers.get('content-type') ?? '';
  if (type.split(';')[0] !== 'application/problem+json') return `as ${type}, and not as a problem`;
  const errors = errorsOf(schema, body);
  if (errors !== undefined) return `which is no problem that it lists:\n  ${errors}`;
  return body?.['status'] === status ? undefined : 'with another status in its body';
}

function resolved(
  response: Response | { readonly $ref: string },
  steps: readonly string[],
): readonly [place: string, response: Response] {
  if (!('$ref' in response)) return [pointer(...steps), response];
  const name = response.$ref.split('/').at(-1) ?? '';
  return [pointer('components', 'responses', name), apiDocument.components.responses[name] ?? {}];
}

/** The path of the document that an address is of; the plainest, where several would do. */
const templateOf = (below: string): string | undefined =>
  Object.keys(apiDocument.paths)
    .toSorted((a, b) => a.split('{').length - b.split('{').length)
    .find((path) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(below));
