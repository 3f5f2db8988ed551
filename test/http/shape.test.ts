import { describe, expect, test } from 'vitest';
import type { JobContext } from '../../server/core/job.ts';
import { byHand } from '../service.ts';
import { serve } from './client.ts';
import { first, post, request, tell, Wire } from './wire.ts';

/** Short, so that the tests need not wait for what people and programs may take their time over. */
const SHORT = { headersMs: 300, requestMs: 600, checkMs: 50, stalledMs: 400, keepAliveMs: 5000 };
const RUNS = '/api/v1/jobs/job/runs';
const TICK = '/triggers/tick';
const KB = 1024;

const open = (limits = {}) =>
  serve([byHand({ run: ({ input }: JobContext) => input })], { limits });

const GZIP = Buffer.from('H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA==', 'base64').toString('latin1');

describe('a path, a method, a type of body', () => {
  test.each([
    [request('GET /nowhere'), 404],
    [request('GET /api/v1/nowhere'), 404],
    [request('OPTIONS /nowhere'), 404],
    [request('GET /%00'), 404],
    [request('GET /api/v1/jobs/a%00b'), 400],
    [request('BREW /healthz'), 400],
    [post(RUNS, '{}', { 'Content-Type': 'text/plain' }), 415],
    [post(RUNS, '{}', { 'Content-Type': 'application/x-www-form-urlencoded' }), 415],
    [post(RUNS, '{}', { 'Content-Type': 'application/json-seq' }), 415],
    [post(RUNS, '{}', { 'Content-Type': '/' }), 415],
    [post(RUNS, '{}', { 'Content-Type': 'application/json; charset=utf-16' }), 415],
    [request(`POST ${RUNS}`, { 'Content-Length': 2 }, '{}'), 415],
    [request(`POST ${RUNS}`, { 'Transfer-Encoding': 'chunked' }, '2\r\n{}\r\n0\r\n\r\n'), 415],
    [post(RUNS, GZIP, { 'Content-Encoding': 'gzip' }), 415],
    [post(RUNS, '{}', { 'Content-Encoding': 'br, identity' }), 415],
    [post(TICK, 'tick', { 'Content-Type': 'text/plain' }), 415],
  ])('%j is answered with %i, and starts nothing', async (text, status) => {
    const { service, url } = await open();

    const answer = await tell(url, text);

    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ status });
    expect(await service.runs()).toEqual([]);
  });

  test.each([
    [request('DELETE /api/v1/jobs'), 'GET, HEAD'],
    [request(`PUT ${RUNS}`, { 'Content-Length': 0 }), 'GET, POST, HEAD'],
    [request(`GET ${TICK}`), 'POST'],
    [request('TRACE /healthz'), 'GET, HEAD'],
    [request('HEAD /triggers/tick'), 'POST'],
    [request('POST /healthz', { 'Content-Length': 0 }), 'GET, HEAD'],
  ])('%j is answered with 405, and with what is allowed', async (text, allowed) => {
    const { url } = await open();

    const { text: told } = await new Wire(url)
      .say(text)
      .until((heard) => heard.text.includes('\r\n\r\n'));

    expect(told).toMatch(/^HTTP\/1\.1 405 /);
    expect(told).toContain(`\r\nAllow: ${allowed}`);
  });

  test.each(['application/json', 'Application/JSON; charset="UTF-8"'])(
    '%s is read',
    async (type) => {
      const { url } = await open();

      const answer = await tell(url, post(RUNS, '{"input": "\xc3\xa9"}', { 'Content-Type': type }));

      expect(answer.status).toBe(202);
      expect(answer.text).toContain('"input":"\xc3\xa9"');
    },
  );

  test('HEAD is GET without the body, and OPTIONS says what there is', async () => {
    const { url } = await open();

    const wire = new Wire(url).say(request('HEAD /healthz'));
    const head = await wire.until(({ text }) => text.endsWith('\r\n\r\n'));
    const options = await tell(url, request('OPTIONS /api/v1/jobs/job/pause'));
    const get = await tell(url, request('GET /healthz'));

    expect(head.text).toMatch(/^HTTP\/1\.1 200 /);
    expect(head.text).toContain(`Content-Length: ${get.text.length}\r\n`);
    expect(options.status).toBe(204);
    for (const method of ['PUT', 'DELETE']) expect(options.headers['allow']).toContain(method);
  });
});

describe('JSON', () => {
  test.each([
    [
      'text that ends early',
      '{"input": ',
      '/input',
      'is not JSON: it ends where a value is expected',
    ],
    ['nothing but a space', ' ', '', 'is not JSON: it ends where a value is expected'],
    ['a key twice', '{"input": {"a": 1, "a": 2}}', '/input/a', 'is there twice'],
    ['__proto__', '{"input": {"__proto__": {"admin": true}}}', '/input/__proto__', 'is a key that'],
    ['constructor', '{"constructor": 1}', '/constructor', 'is a key that no object here may have'],
    [
      'depth',
      `{"input":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
      `/input${'/0'.repeat(63)}`,
      'is nest',
    ],
    ['1e400', '{"input": [0, 1e400]}', '/input/1', 'is 1e400; numbers go up to 1.79'],
    ['NaN', '{"input": NaN}', '/input', 'is not JSON: "N" at character 11'],
    ['a byte order mark', '\xef\xbb\xbf{}', '', 'begins with a byte order mark'],
    ['half a pair', '{"input": "\\ud800"}', '/input', 'has half a surrogate pair'],
    ['half a pair in a key', '{"input": {"\\udfff": 1}}', '/input', 'has half a surrogate pair'],
    ['what is not UTF-8', '{"input": "\xff"}', '', 'is not UTF-8'],
    ['an array', '[]', '', 'expected a JSON object'],
    ['a text', '"x"', '', 'expected a JSON object'],
    ['null', 'null', '', 'expected a JSON object'],
  ])('%s is refused, and told where it is', async (_what, body, path, message) => {
    const { service, url } = await open();

    const answer = await tell(url, post(RUNS, body));

    expect(answer.status).toBe(400);
    expect(answer.body?.['errors']).toEqual([{ path, message: expect.stringContaining(message) }]);
    expect(answer.body?.['detail']).toContain(message);
    expect(await service.runs()).toEqual([]);
  });
});

describe('a body', () => {
  test('of 64 KB is read, and one of a byte more is not, however it is sent', async () => {
    const { url } = await open();
    const chunked = (body: string): string =>
      request(
        `POST ${TICK}`,
        { 'Content-Type': 'application/json', 'Transfer-Encoding': 'Chunked' },
        `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      );

    const answers = [];
    for (const length of [64 * KB, 64 * KB + 1]) {
      const body = `{${' '.repeat(length - 2)}}`;
      answers.push(await tell(url, post(TICK, body)), await tell(url, chunked(body)));
    }

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 413, 413]);
    expect(answers.at(-1)?.body).toMatchObject({ detail: 'the body may have at most 64 KB' });
  });

  test('that is a little too long costs its sender no connection', async () => {
    const { url } = await open();
    const wire = new Wire(url);

    wire.say(post(RUNS, 'x'.repeat(100 * KB)));
    await wire.answers(1);
    const { answers } = await wire.say(request('GET /healthz')).answers(2);

    expect(answers.map(({ status }) => status)).toEqual([413, 200]);
  });

  test.each([
    ['declares its length', { 'Content-Length': 1e9 }, ''],
    ['comes in chunks', { 'Transfer-Encoding': 'chunked' }, '3b9aca00\r\n'],
  ])('that is far too long and %s is not read to its end', async (_how, headers, start) => {
    const { url } = await open();
    const wire = new Wire(url);
    let taken = 0;

    wire.say(request(`POST ${RUNS}`, { 'Content-Type': 'application/json', ...headers }, start));
    const block = Buffer.alloc(KB * KB, 0x20);
    const send = (): void =>
      void (wire.closed || wire.socket.write(block, () => ((taken += block.length), send())));
    send();
    const heard = await wire.end();

    expect(first(heard).status).toBe(413);
    // What the system keeps on its way, at both ends, is taken too.
    expect(taken).toBeLessThan(32 * KB * KB);
  });

  test('that nobody reads does not hold its sender up for long, either', async () => {
    const { url } = await open(SHORT);
    const wire = new Wire(url).say(request('POST /nowhere', { 'Content-Length': 1e9 }, 'x'));

    const startedAt = performance.now();
    const { answers } = await wire.end();

    expect(answers[0]?.status).toBe(404);
    expect(performance.now() - startedAt).toBeLessThan(8000);
  });

  test('is not sent at all where its sender asks first and it is too long', async () => {
    const { url } = await open();
    const expecting = { Expect: '100-continue' };

    const long = new Wire(url).say(
      request(`POST ${RUNS}`, {
        ...expecting,
        'Content-Type': 'application/json',
        'Content-Length': 1e6,
      }),
    );
    const short = new Wire(url).say(post(RUNS, '{}', expecting).slice(0, -2));

    expect((await long.end()).answers.map(({ status }) => status)).toEqual([413]);
    expect((await short.answers(1)).answers[0]?.status).toBe(100);
    expect((await short.say('{}').answers(2)).answers[1]?.status).toBe(202);
  });

  test('that is shorter than it says is not taken for a whole one', async () => {
    const { service, url } = await open(SHORT);
    const short = post(RUNS, '{}', { 'Content-Length': 10 });

    const cut = new Wire(url).say(short);
    cut.socket.end();
    const waiting = await new Wire(url).say(short).end();

    expect(first(await cut.end()).status).toBe(400);
    expect(first(waiting).status).toBe(408);
    expect(await service.runs()).toEqual([]);
  });

  test('that is longer than it says is cut there, and the rest is no request', async () => {
    const { url } = await open();

    const { answers, closed } = await new Wire(url)
      .say(post(RUNS, '{}garbage', { 'Content-Length': 2 }))
      .end();

    expect([answers.map(({ status }) => status), closed]).toEqual([[202, 400], true]);
  });

  test.each([
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 3'],
    ['one length twice', 'Content-Length: 2\r\nContent-Length: 2'],
    ['two lengths in one', 'Content-Length: 2, 2'],
    ['a length and chunks', 'Content-Length: 2\r\nTransfer-Encoding: chunked'],
    ['a length below nothing', 'Content-Length: -2'],
    ['a length that is none', 'Content-Length: 0x2'],
    ['chunks of another coding', 'Transfer-Encoding: chunked, gzip'],
    ['a header of more lines', 'X-One: 1\r\n 2: 3'],
    ['a space before a colon', 'Content-Length : 2'],
    ['two hosts', 'Host: localhost'],
  ])('with %s is refused', async (_what, headers) => {
    const { service, url } = await open();
    const type = 'Host: localhost\r\nContent-Type: application/json';

    const { answers, closed } = await new Wire(url)
      .say(`POST ${RUNS} HTTP/1.1\r\n${type}\r\n${headers}\r\n\r\n{}`)
      .end();

    expect([answers.map(({ status }) => status), closed]).toEqual([[400], true]);
    expect(await service.runs()).toEqual([]);
  });

  test('in chunks of another coding than chunks is refused', async () => {
    const { url } = await open();
    const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'gzip, chunked' };

    expect((await tell(url, request(`POST ${RUNS}`, headers, '0\r\n\r\n'))).status).toBe(415);
  });

  test.each([
    ['a size that is none', 'Z\r\n{}\r\n0\r\n\r\n', 400],
    ['more than its size', '1\r\n{}\r\n0\r\n\r\n', 400],
    ['a long extension', `2;${'x'.repeat(20 * KB)}\r\n{}\r\n0\r\n\r\n`, 413],
  ])('with a chunk of %s is refused', async (_what, chunks, status) => {
    const { service, url } = await open();
    const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' };

    const heard = await new Wire(url).say(request(`POST ${RUNS}`, headers, chunks)).end();

    expect(heard.answers.map((answer) => answer.status)).toEqual([status]);
    expect(await service.runs()).toEqual([]);
  });
});
