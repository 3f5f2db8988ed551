/** Requests that nobody should send, each with the status that it has to get. */

export interface BadRequest {
  readonly what: string;
  readonly bytes: string;
  readonly status: number;
}

const RUNS = '/api/v1/jobs/other-0/runs';
const JSON_TYPE = 'Content-Type: application/json';

/** A request whose head says what it has to, and these lines more. */
const said = (start: string, lines: readonly string[] = [], body = ''): string =>
  [`${start} HTTP/1.1`, 'Host: localhost', ...lines, '', body].join('\r\n');

const posted = (body: string, ...lines: readonly string[]): string =>
  said(`POST ${RUNS}`, [...lines, `Content-Length: ${Buffer.byteLength(body)}`], body);

const deep = `{"input":${'['.repeat(10_000)}${']'.repeat(10_000)}}`;

const WHAT: readonly (readonly [what: string, status: number, bytes: string])[] = [
  ['an unknown path', 404, said('GET /nowhere')],
  ['an unknown path of the API', 404, said('GET /api/v1/nowhere')],
  ['a method that it does not have', 405, said('DELETE /api/v1/jobs', ['Content-Length: 0'])],
  ['an unknown job', 404, said('GET /api/v1/jobs/not-there')],
  ['a job that can not be', 400, said('GET /api/v1/jobs/..%2f..%2fetc')],
  ['a run that is not there', 404, said('GET /api/v1/runs/other-0@19700101T000000Z')],
  ['a cursor that was never given out', 400, said('GET /api/v1/runs?cursor=AAAA')],
  ['a page of a run that is not there', 404, said('GET /runs/other-0@19700101T000000Z')],
  ['a number that is none', 400, said('GET /api/v1/runs?limit=many')],
  ['text', 415, posted('hello', 'Content-Type: text/plain')],
  ['what is compressed', 415, posted('hello', JSON_TYPE, 'Content-Encoding: gzip')],
  ['what is no JSON', 400, posted('{"input":', JSON_TYPE)],
  ['JSON that is too deep', 400, posted(deep, JSON_TYPE)],
  ['JSON with a key twice', 400, posted('{"input":1,"input":2}', JSON_TYPE)],
  ['a prototype', 400, posted('{"__proto__":{"input":1}}', JSON_TYPE)],
  ['a field that there is not', 400, posted('{"inputs":1}', JSON_TYPE)],
  ['a key that is too long', 400, posted('{}', JSON_TYPE, `Idempotency-Key: ${'k'.repeat(300)}`)],
  ['two keys', 400, posted('{}', JSON_TYPE, 'Idempotency-Key: a', 'Idempotency-Key: b')],
  ['a body that is too long', 413, said(`POST ${RUNS}`, [JSON_TYPE, 'Content-Length: 70000'])],
  ['a head that is too long', 431, said('GET /healthz', [`X-Long: ${'x'.repeat(100_000)}`])],
  ['no HTTP', 400, '\u0016\u0003\u0001 hello\r\n\r\n'],
  ['two lengths', 400, said(`POST ${RUNS}`, ['Content-Length: 1', 'Content-Length: 2'], '{}')],
  ['a chunk that is none', 400, said(`POST ${RUNS}`, ['Transfer-Encoding: chunked'], 'x\r\n{}')],
  ['another host as its target', 400, said('GET //elsewhere.example/')],
  ['no host', 400, 'GET /healthz HTTP/1.1\r\n\r\n'],
  ['something expected', 417, said('GET /healthz', ['Expect: a miracle'])],
  ['another host', 403, said('GET /', []).replace('localhost', 'elsewhere.example')],
  ['another site', 403, posted('{}', JSON_TYPE, 'Origin: https://elsewhere.example')],
  ['a forged cron', 403, said('POST /triggers/tick', ['X-Appengine-Cron: true'])],
  ['a token that is none', 401, said('GET /api/v1/jobs', ['Authorization: Bearer pun_nothing'])],
];

export const BAD_REQUESTS: readonly BadRequest[] = WHAT.map(([what, status, bytes]) => {
  return { what, status, bytes };
});
