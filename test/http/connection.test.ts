import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { JobContext } from '../../server/core/job.ts';
import { byHand, job, type TestService } from '../service.ts';
import { serve } from './client.ts';
import { first, post, request, tell, Wire } from './wire.ts';

/** What comes before any route: heads of requests, targets, and how long all may take. */

/** Short, so that the tests need not wait for what people and programs may take their time over. */
const SHORT = { headersMs: 300, requestMs: 600, checkMs: 50, stalledMs: 400, keepAliveMs: 5000 };
/** Where a request is not to be cut off: a busy machine may take its time to read it. */
const ENOUGH = { ...SHORT, headersMs: 1500, requestMs: 1500, stalledMs: 1500 };
/** Longer than the longest of these, which Node may notice after twice as long. */
const LONG_MS = 3500;
const RUNS = '/api/v1/jobs/job/runs';
const KB = 1024;

const byItself = byHand({ run: ({ input }: JobContext) => input });
const takes = (ms: number) => byHand({ run: () => pause(ms) });
const open = (limits = {}) => serve([byItself], { limits });
const statuses = async (wire: Wire): Promise<readonly number[]> =>
  (await wire.end()).answers.map(({ status }) => status);

/** Moves the test's clock along, for what looks at it while something real goes on. */
async function timePasses<Value>(service: TestService, over: Promise<Value>): Promise<Value> {
  let waiting = true;
  const done = over.finally(() => (waiting = false));
  while (waiting) {
    await service.clock.advance(100);
    await pause(10);
  }
  return await done;
}

describe('the head of a request', () => {
  test.each([
    ['one long header', { 'X-Long': 'x'.repeat(100 * KB) }],
    [
      'many headers',
      Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`X-${n}`, 'x'.repeat(30)])),
    ],
    [
      'many headers with nothing in them',
      Object.fromEntries(Array.from({ length: 1200 }, (_, n) => [`X${n}`, ''])),
    ],
    [
      'one header more than there may be',
      Object.fromEntries(Array.from({ length: 99 }, (_, n) => [`X${n}`, ''])),
    ],
  ])('of %s is refused, and the connection closed', async (_what, headers) => {
    const { url } = await open();

    const heard = await new Wire(url).say(request('GET /healthz', headers)).end();

    expect(first(heard)).toMatchObject({ status: 431, body: { status: 431 } });
    expect(heard.answers).toHaveLength(1);
  });

  test('of a hundred headers is read to the last of them', async () => {
    const { url } = await open();
    const many = Object.fromEntries(Array.from({ length: 97 }, (_, n) => [`X-${n}`, '']));

    const answer = await tell(url, request('GET /healthz', { ...many, Expect: 'tea' }));

    expect(answer.status).toBe(417);
  });

  test.each([
    ['GET //localhost/jobs'],
    ['GET //'],
    ['GET http://localhost/healthz'],
    ['GET http://elsewhere.example/healthz'],
    ['GET https://localhost/healthz'],
    ['OPTIONS *'],
    ['GET healthz'],
    ['GET ?a=b'],
    ['GET /a\0b'],
    ['GET /a b'],
    ['GET /\x80'.replace('\x80', '\x01')],
    ['get /healthz'],
    ['G\xcbT /healthz'],
    ['GET'],
  ])('%j names no target of ours and is refused', async (line) => {
    const { url } = await open();

    const heard = await new Wire(url).say(request(line)).end();

    expect(first(heard)).toMatchObject({ status: 400, body: { status: 400 } });
    expect(heard.answers).toHaveLength(1);
  });

  test.each([
    ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n'],
    ['two of them', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nhost: localhost\r\n\r\n'],
    ['HTTP/0.9', 'GET /healthz\r\n\r\n'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['HTTP/3.7', 'GET /healthz HTTP/3.7\r\nHost: localhost\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['a line of another protocol', 'SSH-2.0-OpenSSH_9.9\r\n'],
    [
      'bare line ends within a header',
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n',
    ],
    ['NUL in a header', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n'],
  ])('with %s is refused', async (_what, text) => {
    const { url } = await open();

    const heard = await new Wire(url).say(text).end();

    expect(first(heard)).toMatchObject({ status: 400, body: { status: 400 } });
  });

  test.each([
    ['CONNECT elsewhere.example:443', 405],
    ['CONNECT /healthz', 405],
  ])('%s finds no proxy here', async (line, status) => {
    const { url } = await open();

    const heard = await new Wire(url).say(request(line)).end();

    expect(first(heard)).toMatchObject({ status, body: { detail: 'this is no proxy' } });
  });

  test.each(['websocket', 'h2c', 'TLS/1.2'])('that asks for %s gets HTTP/1.1', async (protocol) => {
    const { url } = await open();

    const answer = await tell(
      url,
      request('GET /healthz', { Upgrade: protocol, Connection: 'Upgrade' }),
    );

    expect([answer.status, answer.headers['upgrade']]).toEqual([200, undefined]);
  });

  test('that expects what nobody knows is told so', async () => {
    const { url } = await open();

    expect(await statuses(new Wire(url).say(request('GET /healthz', { Expect: 'tea' })))).toEqual([
      417,
    ]);
  });

  test('of HTTP/1.0 is answered, and the connection closed', async () => {
    const { url } = await open();
    const head = 'Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 2';

    const get = await new Wire(url).say('GET /healthz HTTP/1.0\r\n\r\n').end();
    const posted = await new Wire(url).say(`POST ${RUNS} HTTP/1.0\r\n${head}\r\n\r\n{}`).end();

    expect(first(get)).toMatchObject({ status: 200, body: { status: 'ok' } });
    // Known to nobody: who forwards for others may do it by this version (access.ts).
    expect(first(posted).status).toBe(403);
  });
});

describe('several requests on one connection', () => {
  test('are answered in their order', async () => {
    const { url } = await open();

    const wire = new Wire(url).say(
      request('GET /healthz') +
        request('GET /nowhere') +
        post(RUNS, '{}') +
        request('GET /healthz'),
    );
    const { answers } = await wire.answers(4);

    expect(answers.map(({ status }) => status)).toEqual([200, 404, 202, 200]);
  });

  test('of which one is garbage end with it, after the answers to those before', async () => {
    const { service, url } = await serve([takes(300)]);

    const wire = new Wire(url).say(`${post(RUNS, '{}', { Prefer: 'wait=60' })}garbage\r\n\r\n`);
    const { answers, closed } = await timePasses(service, wire.end());

    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
    expect(answers[0]?.body).toMatchObject({ state: 'succeeded' });
    expect(closed).toBe(true);
  });

  test('of which one asks for a tunnel are no answer to it', async () => {
    const { service, url } = await serve([takes(300)]);

    const wire = new Wire(url).say(
      post(RUNS, '{}', { Prefer: 'wait=60' }) + request('CONNECT elsewhere.example:443'),
    );
    const { text, closed } = await timePasses(service, wire.end());

    expect([text, closed]).toEqual(['', true]);
    expect(await service.runs()).toHaveLength(1);
  });

  test('are at most a thousand: the last answer says so, and one more is refused', async () => {
    const { url } = await open();

    const wire = new Wire(url).say(request('GET /healthz').repeat(1001));
    const { answers } = await wire.answers(1001);

    expect(answers[998]?.headers['connection']).toBe('keep-alive');
    expect(answers[999]?.headers['connection']).toBe('close');
    expect(answers.map(({ status }) => status)).toEqual([...Array(1000).fill(200), 503]);
  });
});

describe('whoever is too slow', () => {
  test.each([
    ['the head, letter by letter', request('GET /healthz', { 'X-Long': 'x'.repeat(1000) }), 0],
    ['a body, letter by letter', post(RUNS, `{"input": "${'x'.repeat(1000)}"}`), 1],
    [
      'chunks, one by one',
      request(
        `POST ${RUNS}`,
        { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' },
        '1\r\n{\r\n'.repeat(300),
      ),
      1,
    ],
  ])('with %s is answered with 408, and cut off', async (_what, text, slowPart) => {
    const limits = slowPart === 0 ? [300, 9000] : [600, 600];
    const [headersMs = 0, requestMs = 0] = limits;
    // Nobody is cut off without a word, also where the machine stands still for a while.
    const { service, url } = await open({ ...SHORT, headersMs, requestMs, stalledMs: 20_000 });
    const wire = new Wire(url);
    const startedAt = performance.now();

    const slowFrom = slowPart * (text.indexOf('\r\n\r\n') + 4);
    wire.say(text.slice(0, slowFrom));
    for (let at = slowFrom; !wire.closed && at < text.length; at += 1) {
      wire.say(text.charAt(at));
      await pause(20);
    }
    const heard = await wire.end();
    const tookMs = performance.now() - startedAt;

    expect(first(heard)).toMatchObject({ status: 408, body: { title: 'Too slow' } });
    expect(heard.answers).toHaveLength(1);
    expect(tookMs).toBeGreaterThanOrEqual(slowPart === 0 ? 300 : 600);
    expect(tookMs).toBeLessThan(30_000);
    expect(await service.runs()).toEqual([]);
  });

  test('to say anything is cut off without a word: browsers connect before they need it', async () => {
    const { url } = await open(SHORT);

    const heard = await new Wire(url).end();

    expect(heard.text).toBe('');
  });

  test('with the next request has had the answer to the one before', async () => {
    const { url } = await open({ ...ENOUGH, stalledMs: 20_000 });

    const wire = new Wire(url).say(`${request('GET /healthz')}GET /hea`);

    expect(await statuses(wire)).toEqual([200, 408]);
  });

  test('to take an answer is cut off, and one who takes it bit by bit is not', async () => {
    const lines = byHand({
      run: ({ log }: JobContext) => {
        for (let n = 0; n < 900; n += 1) log('x'.repeat(1000));
      },
    });
    const { service, ask, url } = await serve([lines], { limits: { stalledMs: 5000 } });
    const { body } = await ask('POST', RUNS);
    await service.settle();
    const log = request(`GET /api/v1/runs/${encodeURIComponent(body?.['id'])}/log`);

    const deaf = new Wire(url).say(log.repeat(50));
    const slow = new Wire(url).say(log.repeat(10));
    deaf.socket.pause();
    // Twice as long, and somewhat longer.
    for (let turn = 0; turn < 105; turn += 1) {
      slow.socket.resume();
      await pause(5);
      slow.socket.pause();
      await pause(95);
    }
    deaf.socket.resume();
    slow.socket.resume();
    const [cut, whole] = await Promise.all([deaf.end(), slow.answers(10)]);

    expect(cut.answers.length).toBeLessThan(50);
    expect(whole.answers).toHaveLength(10);
  });

  test('leaves an idle connection behind, which goes first when there are too many', async () => {
    const { service, url } = await open({ maxConnections: 20 });
    const idle = Array.from({ length: 20 }, () => new Wire(url).say(request('GET /healthz')));
    await Promise.all(idle.map((wire) => wire.answers(1)));

    const refused = await new Wire(url).say(request('GET /healthz')).end();
    await Promise.all(idle.map((wire) => wire.end()));
    const answer = await tell(url, request('GET /healthz'));

    expect(refused.text).toBe('');
    expect(answer.status).toBe(200);
    expect(service.logged).toContain('warn too_many_connections {"limit":20}');
  });
});

describe('a run that is waited for far longer than a request may take to come', () => {
  test('is not cut off by what limits the request: it is answered at its end', async () => {
    const { service, url } = await serve([takes(LONG_MS)], { limits: ENOUGH });

    const waiting = new Wire(url).say(post(RUNS, '{}', { Prefer: 'wait=120' }));
    const trickled = new Wire(url);
    for (const part of post('/api/v1/jobs/job/runs', '{"overlap":"allow"}', { Prefer: 'wait=120' })
      .split('\r\n')
      .map((line, n) => (n === 0 ? line : `\r\n${line}`))) {
      trickled.say(part);
    }
    const heard = await timePasses(service, Promise.all([waiting.answers(1), trickled.answers(1)]));

    expect(heard.map((one) => first(one).status)).toEqual([200, 200]);
    expect(heard.map((one) => first(one).body?.['state'])).toEqual(['succeeded', 'succeeded']);
  });

  test('is not cut off where a trigger carries it, either', async () => {
    const { service, url } = await serve([job({ run: () => pause(LONG_MS) })], {
      env: { PUNCTUAL_WAKE: 'tick' },
      limits: ENOUGH,
    });
    await service.clock.advance(61_000);

    const wire = new Wire(url).say(post('/triggers/jobs/job', '{}'));
    const heard = await timePasses(service, wire.answers(1));

    expect(first(heard)).toMatchObject({ status: 200, body: { started: [expect.anything()] } });
    expect((await service.lastRun()).state).toBe('succeeded');
  });

  test('is not cut off while its log is followed and says nothing for a while', async () => {
    const quiet = byHand({
      run: async ({ log }: JobContext) => {
        log('before');
        await pause(LONG_MS);
        log('after');
      },
    });
    const { service, ask, url } = await serve([quiet], { limits: ENOUGH });
    const { body } = await ask('POST', RUNS);
    const log = `/api/v1/runs/${encodeURIComponent(body?.['id'])}/log?format=text&follow=60`;

    const wire = new Wire(url).say(request(`GET ${log}`));
    const { text } = first(await timePasses(service, wire.answers(1)));

    expect(text.split('\n').filter((line) => line.includes('info'))).toEqual([
      expect.stringMatching(/before$/),
      expect.stringMatching(/after$/),
    ]);
  });
});
