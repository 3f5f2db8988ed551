import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../../server/http/api/endpoints.ts';
import { PROBLEMS } from '../../../server/http/api/problems.ts';
import { RULES } from '../../../server/http/rules.ts';
import { job } from '../../service.ts';
import { serve, type Answer } from '../client.ts';
import { apiDocument, assertConforms } from '../conforms.ts';

type Json = Readonly<Record<string, any>>;
const document: Json = apiDocument;
const operations = Object.entries<Json>(document['paths']).flatMap(([path, item]) =>
  Object.entries<Json>(item).map(([method, operation]) => ({ path, method, operation })),
);

/** Every object within, with where it is. */
function* within(value: unknown, path = '#'): Generator<readonly [string, Json]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [path, value];
  for (const [key, inner] of Object.entries(value)) yield* within(inner, `${path}/${key}`);
}

const found = (ref: string): unknown =>
  ref
    .slice(2)
    .split('/')
    .reduce<any>((at, step) => at?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], document);

describe('the document', () => {
  test('is OpenAPI 3.1, with what that asks for', () => {
    expect(document['openapi']).toMatch(/^3\.1\.\d+$/);
    expect(document['info']).toMatchObject({ title: 'Punctual', version: expect.any(String) });
    expect(document['servers']).toEqual([{ url: '/api/v1' }]);
    for (const { path, method, operation } of operations) {
      expect(path).toMatch(/^\//);
      expect(['get', 'put', 'post', 'delete']).toContain(method);
      expect(Object.keys(operation['responses']).every((one) => /^[2-5]\d\d$/.test(one))).toBe(
        true,
      );
      const responses = Object.values<Json>(operation['responses']);
      expect(
        responses.every((one) => '$ref' in one || typeof one['description'] === 'string'),
      ).toBe(true);
    }
  });

  test('refers to nothing that is not there', () => {
    const refs = [...within(document)].flatMap(([, { $ref: ref }]) => ref ?? []);

    expect(refs.length).toBeGreaterThan(50);
    expect(refs.filter((ref) => !ref.startsWith('#/') || found(ref) === undefined)).toEqual([]);
  });

  test('declares each part of a path, and no other, once', () => {
    for (const { path, operation } of operations) {
      const parts = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const parameters: Json[] = operation['parameters'] ?? [];
      const inPath = parameters.filter((one) => one['in'] === 'path');
      const all = parameters.map((one) => `${one['in']} ${one['name']}`);

      expect(inPath.map(({ name }) => name)).toEqual(parts);
      expect(inPath.every(({ required }) => required === true)).toBe(true);
      expect(new Set(all).size).toBe(all.length);
    }
  });

  test('has one name for each operation, and a heading that there is', () => {
    const ids = operations.map(({ operation }) => operation['operationId']);
    const tags = document['tags'].map(({ name }: Json) => name);

    expect(new Set(ids).size).toBe(ids.length);
    expect(operations.filter(({ operation }) => !tags.includes(operation['tags'][0]))).toEqual([]);
  });

  test('names only ways to be known that it describes', () => {
    const schemes = Object.keys(document['components'].securitySchemes);
    const used = document['security'].flatMap((one: Json) => Object.keys(one));

    expect(used.filter((name: string) => !schemes.includes(name))).toEqual([]);
  });

  test('leaves nothing open in what is answered', () => {
    const objects = [...within(document['components'].schemas)].filter(
      ([, { type, properties }]) => type === 'object' && properties !== undefined,
    );

    expect(objects.length).toBeGreaterThan(15);
    expect(objects.filter(([, one]) => one['additionalProperties'] !== false)).toEqual([]);
  });

  test('is served as it is, and not again to who has it', async () => {
    const { ask } = await serve([]);

    const answer = await ask('GET', '/api/v1/openapi.json');
    const again = await ask('GET', '/api/v1/openapi.json', {
      headers: { 'If-None-Match': answer.headers.get('etag') ?? '' },
    });

    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.body).toEqual(document);
    expect([again.status, again.text]).toEqual([304, '']);
  });

  test('has each endpoint that a rule is for, with the role that it tells of', () => {
    const rules = RULES.filter(({ path }) => path.startsWith('/api/v1'));
    const ruled = rules.map(({ method, path, right }) => `${right} ${method} ${path}`);
    const told = ENDPOINTS.map(({ method, path }) => {
      const express = path === '/' ? '' : path.replaceAll(/\{(\w+)\}/g, ':$1');
      return `${method === 'GET' ? 'viewer' : 'operator'} ${method} /api/v1${express}`;
    });

    expect(told.toSorted()).toEqual(ruled.toSorted());
  });

  test('tells of every problem that the code has', () => {
    const folder = join(import.meta.dirname, '../../../server/http');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const ours = files.filter((file) => file.endsWith('.ts') && !file.startsWith('pages'));
    const thrown = ours.flatMap((file) => [
      ...readFileSync(join(folder, file), 'utf8').matchAll(
        /new HttpError\(\s*(\d{3}),\s*'([^']+)'/g,
      ),
    ]);
    const problems: Readonly<Record<string, readonly [number, string]>> = PROBLEMS;

    expect(thrown.length).toBeGreaterThan(25);
    expect(
      thrown.filter(([, status, title = '']) => problems[title]?.[0] !== Number(status)),
    ).toEqual([]);
  });
});

describe('an answer that is not as the document has it is found', () => {
  const answer = (status: number, body: Json, type = 'application/json'): Answer => ({
    status,
    headers: new Headers({ 'Content-Type': type }),
    text: JSON.stringify(body),
    body,
  });
  const problem = (status: number, title: string, more: Json = {}) => {
    const type = `/api/v1/docs#${title.toLowerCase().replaceAll(' ', '-')}`;
    const body = { type, title, status, detail: 'no', ...more };
    return answer(status, body, 'application/problem+json');
  };

  test.each([
    ['a field too many', answer(200, { jobs: [], next: null, more: 1 }), /additional properties/],
    ['a field too few', answer(200, { jobs: [] }), /must have required property 'next'/],
    ['a status that is not listed', answer(201, {}), /does not list/],
    ['another type', answer(200, { jobs: [], next: null }, 'text/plain'), /as text\/plain/],
    ['a problem that is not its own', problem(400, 'Busy'), /no problem that it lists/],
    ['a problem of another status', problem(400, 'Bad request', { status: 401 }), /another status/],
  ])('%s', (_what, answered, told) => {
    expect(() => assertConforms('GET', '/api/v1/jobs?limit=1', answered)).toThrow(told);
  });

  test.each([
    ['GET', answer(200, { jobs: [], next: null })],
    ['GET', problem(400, 'Bad request')],
    ['PUT', problem(405, 'Method not allowed')],
  ])('and what is right passes: %s', (method, answered) => {
    expect(() => assertConforms(method, '/api/v1/jobs', answered)).not.toThrow();
  });
});

describe('the page on the API', () => {
  test('tells of each endpoint, each shape and each problem, at an address of its own', async () => {
    const { ask } = await serve([job({})]);

    const { status, text, headers } = await ask('GET', '/api/v1/docs');

    const anchors = new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
    const wanted = [
      ...ENDPOINTS.map(({ id }) => id),
      ...Object.keys(document['components'].schemas).map((name) => `shape-${name}`),
      ...Object.keys(PROBLEMS).map((title) => title.toLowerCase().replaceAll(' ', '-')),
    ];
    const links = [...text.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id ?? '');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(wanted.filter((id) => !anchors.has(id))).toEqual([]);
    expect(links.filter((id) => !anchors.has(id))).toEqual([]);
    expect(text.match(/<script[^>]*src="([^"]+)"/)?.[1]).toMatch(/^\/assets\//);
    expect(text.length).toBeLessThan(150_000);
  });

  test('is linked from every other page', async () => {
    const { ask } = await serve([job({})]);

    const { text } = await ask('GET', '/system');

    expect(text).toContain('<a href="/api/v1/docs">API</a>');
  });
});

test('the index leads to every list', async () => {
  const { ask } = await serve([job({})]);

  const { body } = await ask('GET', '/api/v1');

  const statuses = await Promise.all(
    Object.values<string>(body ?? {}).map(async (path) => (await ask('GET', path)).status),
  );
  expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 200]);
});

test.each(['/api/v1/nowhere', '/api/v1/jobs/nobody', '/api/v1/jobs?x=1', '/API/V1/nowhere'])(
  '%s is answered in JSON to a browser, too',
  async (path) => {
    const { ask } = await serve([]);

    const answer = await ask('GET', path, { headers: { Accept: 'text/html' } });

    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ type: expect.stringMatching(/^\/api\/v1\/docs#/) });
  },
);

test('which methods there are is told to who asks for them', async () => {
  const { ask } = await serve([]);

  const answer = await ask('OPTIONS', '/api/v1/jobs/any/pause');

  expect(answer.status).toBe(204);
  expect(answer.headers.get('allow')).toMatch(/GET.*PUT|PUT.*GET/);
});
