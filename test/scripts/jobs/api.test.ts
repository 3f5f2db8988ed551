import { describe, expect, test } from 'vitest';
import { Api, Interrupted, type Request } from '../../../scripts/jobs/api.ts';
import { Trouble } from '../../../scripts/jobs/command.ts';
import { logPages } from '../../../scripts/jobs/logs.ts';
import { NoAnswer, type Reply, type Sent } from '../../../scripts/jobs/transport.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const WELL: Reply = { status: 200, headers: JSON_TYPE, text: '{"id":"x"}' };
const problem = (status: number, headers = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/problem+json', ...headers },
  text: JSON.stringify({ title: 'Unavailable', status, detail: `told ${status}` }),
});
const REFUSED = new NoAnswer(false, Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
const LOST = new NoAnswer(true, Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }));

/** An API whose server answers as told, one after another, the last again and again. */
function apiThat(answers: readonly (Reply | Error)[], patienceMs = 60_000) {
  const sent: Sent[] = [];
  const told: string[] = [];
  const place = { url: 'http://127.0.0.1:1', isNamed: true, token: null };
  const send = async (one: Sent): Promise<Reply> => {
    sent.push(one);
    const answer = answers[sent.length - 1] ?? answers.at(-1)!;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const api = new Api(place, send, { tell: (words) => told.push(words), patienceMs });
  const ask = async (request: Partial<Request> = {}) =>
    api.ask({ path: '/x', ...request }).then(
      ({ body }) => body,
      (error: unknown) => error as Trouble,
    );
  return { api, sent, told, ask };
}

const PATIENT = { method: 'POST', key: 'k', patientUntil: Infinity } as const;

describe('a request that may be sent again', () => {
  test('is, under the same key, after an answer that was lost and while a server restarts', async () => {
    const { sent, told, ask } = apiThat([LOST, REFUSED, problem(503), problem(502), WELL]);

    const answer = await ask(PATIENT);

    expect(answer).toEqual({ id: 'x' });
    expect(sent.map(({ headers }) => headers['Idempotency-Key'])).toEqual(Array(5).fill('k'));
    expect(told).toEqual([expect.stringMatching(/^no answer came from .*; asking again$/)]);
  });

  test('is not where nobody was there in the first place', async () => {
    const { sent, ask } = apiThat([REFUSED, WELL]);

    expect(await ask(PATIENT)).toMatchObject({ status: 6, unsure: false });
    expect(sent).toHaveLength(1);
  });

  test('is not where the answer would be the same', async () => {
    for (const status of [400, 401, 403, 404, 409, 422, 429, 500]) {
      const { sent, ask } = apiThat([problem(status), WELL]);

      expect(await ask(PATIENT)).toBeInstanceOf(Trouble);
      expect(sent).toHaveLength(1);
    }
  });

  test('ends after a while, and does not forget that an answer was lost', async () => {
    const { sent, ask } = apiThat([LOST, REFUSED], 3000);

    const trouble = await ask(PATIENT);

    expect(sent.length).toBeGreaterThan(1);
    expect(trouble).toMatchObject({ status: 6, unsure: true });
    expect(trouble).toMatchObject({ message: expect.stringMatching(/^no server answers/) });
  });

  test('waits no longer than somebody wants to', async () => {
    const { ask } = apiThat([LOST]);
    const began = performance.now();

    await ask({ ...PATIENT, patientUntil: performance.now() + 300 });

    expect(performance.now() - began).toBeLessThan(20_000);
  });

  test('stops at once when it is told to', async () => {
    const { ask } = apiThat([LOST]);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);

    expect(await ask({ ...PATIENT, signal: stop.signal })).toBeInstanceOf(Interrupted);
  });
});

test('one that may not be is sent once, and what may be done all the same is said', async () => {
  const { sent, ask } = apiThat([LOST, WELL]);

  expect(await ask({ method: 'POST' })).toMatchObject({
    status: 6,
    message: expect.stringMatching(/; it may be done all the same$/),
  });
  expect(sent).toHaveLength(1);
});

test('the exit status says of which kind a refusal is', async () => {
  const kinds = [400, 401, 403, 408, 409, 413, 415, 422, 429, 431, 500, 503].map(async (status) => {
    const trouble = await apiThat([problem(status)]).ask();
    return trouble instanceof Trouble ? trouble.status : trouble;
  });

  expect(await Promise.all(kinds)).toEqual([2, 3, 3, 6, 5, 2, 2, 2, 5, 2, 6, 6]);
});

test('an answer is waited for as long as the server was asked to take, and somewhat longer', async () => {
  const { sent, ask } = apiThat([WELL]);

  await ask({ waitMs: 25_000, query: { follow: 25, cursor: undefined, job: 'a&b' } });

  expect(sent[0]).toMatchObject({ withinMs: 55_000, path: '/api/v1/x?follow=25&job=a%26b' });
});

test('a log that is followed is not asked for in a rush, whatever the server answers', async () => {
  const page = { lines: [], progress: null, next: 'c', ended: false };
  const { api, sent } = apiThat([{ ...WELL, text: JSON.stringify(page) }]);
  const { signal } = new AbortController();
  const until = performance.now() + 1200;

  let pages = 0;
  for await (const _ of logPages(api, 'a!b', { signal, everyS: 25, until })) pages += 1;

  expect(pages).toBeLessThan(5);
  expect(sent.map(({ path }) => path).slice(0, 2)).toEqual([
    expect.stringMatching(/^\/api\/v1\/runs\/a!b\/log\?format=json&limit=1000&follow=[12]$/),
    expect.stringMatching(/&cursor=c&follow=[12]$/),
  ]);
});
