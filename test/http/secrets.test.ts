import { readFileSync } from 'node:fs';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { currentCulprit, type Culprit } from '../../server/core/culprit.ts';
import type { JobContext } from '../../server/core/job.ts';
import type { Run } from '../../server/core/records.ts';
import { byHand, tempDb } from '../service.ts';
import { json, serve } from './client.ts';
import { form, words } from './forms.ts';
import {
  deploying,
  finish,
  given,
  KEY,
  OTHER_KEY,
  SECRET,
  serveDeploys,
  start,
  tracesIn,
  tracesOnDisk,
} from './secrets.ts';

const pagesOf = ({ id }: Run): string[] => {
  const run = encodeURIComponent(id);
  return [
    '/',
    '/jobs/deploy',
    `/jobs/deploy?from=${run}`,
    `/jobs/deploy?from=${run}&as=json`,
    '/runs',
    `/runs?q=${encodeURIComponent('text:shop')}`,
    `/runs/${run}`,
    `/runs/${run}/log.txt`,
    `/runs/${run}/log.ndjson`,
    `/runs/${run}/input.json`,
    `/runs/${run}/output.json`,
    '/timeline',
    '/actions',
    '/system',
    '/api/v1/jobs',
    '/api/v1/jobs/deploy',
    '/api/v1/runs',
    `/api/v1/runs/${run}`,
    `/api/v1/runs/${run}/log`,
  ];
};

describe('a secret', () => {
  test('gets to the handler, and stands in no file, log line, page or answer', async () => {
    const served = await serveDeploys();
    const { service, ask, db, got } = served;

    const answer = await start(ask, given);
    const run = await finish(served);
    const shown = await Promise.all(pagesOf(run).map((path) => ask('GET', path)));
    const copy = `${db}.copy`;
    await service.store.backup(copy);

    expect(got).toEqual([given, given]);
    expect(run).toMatchObject({ state: 'succeeded', attempts: [{ n: 1 }, { n: 2 }] });
    expect(run.output).toBe(
      '{"target":"shop","issued":"[secret]","seen":"[secret] gave [secret]"}',
    );
    expect(run.attempts[0]?.error?.message).toBe(
      'could not log in with [secret]; because at https://example.com/[secret]',
    );
    expect(shown.map(({ status }) => status)).toEqual(shown.map(() => 200));
    expect([answer, ...shown].flatMap(({ text }) => tracesIn(text))).toEqual([]);
    expect([answer, ...shown].filter(({ text }) => text.includes('$secret'))).toEqual([]);
    expect(service.logged.flatMap(tracesIn)).toEqual([]);
    expect(tracesOnDisk(db)).toEqual([]);
    expect(tracesIn(readFileSync(copy))).toEqual([]);
    // What is looked for is found where it is.
    expect(tracesIn(Buffer.concat([readFileSync(copy), Buffer.from(SECRET)]))).not.toEqual([]);
  });

  test('is shown as [secret], and what is not secret beside it as it is', async () => {
    const served = await serveDeploys();
    const { ask } = served;

    const answer = await start(ask, given);
    const run = await finish(served);
    const page = await ask('GET', `/runs/${encodeURIComponent(run.id)}`);
    const log = await ask('GET', `/runs/${encodeURIComponent(run.id)}/log.txt`);

    const hidden = {
      target: 'shop',
      token: '[secret]',
      login: { user: 'ada', password: '[secret]' },
    };
    expect(answer.body?.['input']).toEqual(hidden);
    expect(words(page)).toContain('"token": "[secret]"');
    expect(log.text).toContain(
      'logging in as [secret] {"headers":{"authorization":"Bearer [secret]"}}',
    );
    expect(log.text).toContain('token=[secret] {"[secret]":["[secret]"]}');
    expect(log.text).toContain('Error: no entry for [secret]');
  });

  test('is not found by looking for it, and what is beside it is', async () => {
    const served = await serveDeploys();
    await start(served.ask, given);
    await finish(served);

    const looking = (text: string) =>
      served.ask('GET', `/runs?q=${encodeURIComponent(`text:${text}`)}`);

    expect((await looking('v1.')).text).not.toContain('/runs/deploy');
    expect((await looking('shop')).text).toContain('/runs/deploy');
  });

  test('gets to another instance that goes on with the run', async () => {
    const first = await serveDeploys();
    await start(first.ask, given);
    await first.service.idle();
    await first.service.stop();

    const second = await serveDeploys({ db: first.db });
    await second.service.clock.advance(100_000);
    await second.service.wake('00:05:00');
    await second.service.idle();

    expect(first.got).toEqual([given]);
    expect(second.got).toEqual([given]);
    expect(await second.service.lastRun()).toMatchObject({ state: 'succeeded' });
  });

  test('that the keys in use can not decrypt fails its run in words, and the job goes on', async () => {
    const first = await serveDeploys();
    await start(first.ask, given);
    await first.service.idle();
    await first.service.stop();
    const second = await serveDeploys({ db: first.db, key: OTHER_KEY });

    await second.service.clock.advance(100_000);
    await second.service.wake('00:05:00');
    await second.service.idle();
    const failed = await second.service.lastRun();
    const next = await start(second.ask, given);

    expect(failed).toMatchObject({ state: 'failed', error: { name: 'SecretUnreadable' } });
    expect(failed.error?.message).toMatch(
      /^the secret \/input\/token was encrypted with the key "[\w-]{8}", which PUNCTUAL_SECRET_KEY does not have: add that key to it/,
    );
    expect(next.status).toBe(202);
    await second.service.idle();
    expect(second.got).toEqual([given]);
  });

  test('of before a change of keys is read by the key behind the new one', async () => {
    const first = await serveDeploys();
    await start(first.ask, given);
    await first.service.idle();
    await first.service.stop();
    const second = await serveDeploys({ db: first.db, key: `${OTHER_KEY},${KEY}` });

    await second.service.clock.advance(100_000);
    await second.service.wake('00:05:00');
    await second.service.idle();

    expect(second.got).toEqual([given]);
  });
});

describe('a request with a secret', () => {
  test('comes again under its key as the same run, and another one is refused', async () => {
    const served = await serveDeploys();
    const { ask, service } = served;
    const first = await start(ask, { target: 'shop', token: SECRET, pin: 1234 }, 'release-7');

    const again = await start(ask, { target: 'shop', token: SECRET, pin: 1234 }, 'release-7');
    const other = await start(ask, { target: 'shop', token: SECRET, pin: 1235 }, 'release-7');

    expect(again.body?.['id']).toBe(first.body?.['id']);
    expect(again.headers.get('Idempotent-Replayed')).toBe('true');
    expect(other.status).toBe(422);
    expect(await service.runs()).toHaveLength(1);
  });

  test('is refused without a word of the secret', async () => {
    const { ask, service, got } = await serveDeploys();
    const wrong = {
      target: 7,
      token: 'Quetzal',
      pin: 56_789,
      login: { user: 1, password: [SECRET] },
    };

    const answer = await start(ask, wrong);

    expect(answer.status).toBe(400);
    expect(answer.body?.['errors']).toEqual([
      { path: '/input/target', message: 'Invalid type: Expected string but received 7' },
      { path: '/input/token', message: 'is not what its schema asks for' },
      { path: '/input/pin', message: 'is not what its schema asks for' },
      { path: '/input/login/user', message: 'Invalid type: Expected string but received 1' },
      { path: '/input/login/password', message: 'is not what its schema asks for' },
    ]);
    expect(answer.text).not.toContain('56789');
    expect(tracesIn(answer.text)).toEqual([]);
    expect(service.logged.flatMap(tracesIn)).toEqual([]);
    expect(got).toEqual([]);
  });

  test('that misses it says so, as there is nothing to hide', async () => {
    const { ask } = await serveDeploys();

    const answer = await start(ask, { target: 'shop' });

    expect(answer.body?.['errors']).toEqual([
      { path: '/input/token', message: expect.stringContaining('undefined') },
    ]);
  });

  test('that sends back what stands for it is refused', async () => {
    const { ask, service } = await serveDeploys();

    const answer = await start(ask, { target: 'shop', token: '[secret]' });

    expect(answer.status).toBe(400);
    expect(answer.body?.['errors']).toEqual([
      {
        path: '/input/token',
        message: 'is "[secret]", which stands for a secret; give the secret itself',
      },
    ]);
    expect(await service.runs()).toEqual([]);
  });
});

describe('a rerun', () => {
  test.each([
    ['from its page', (id: string) => `/runs/${id}/reruns`, form({ key: 'a' })],
    ['by a program', (id: string) => `/api/v1/runs/${id}/reruns`, json({})],
  ])('%s gets the secrets of the run that it repeats, encrypted anew', async (_how, path, sent) => {
    const served = await serveDeploys();
    const { ask, service, db, got } = served;
    await start(ask, given);
    const old = await finish(served);

    const answer = await ask('POST', path(encodeURIComponent(old.id)), sent);
    const run = await finish(served);
    const page = await ask('GET', `/runs/${encodeURIComponent(run.id)}`);

    expect([202, 303]).toContain(answer.status);
    expect(run.id).not.toBe(old.id);
    expect(got).toEqual([given, given, given, given]);
    const [before, after] = [old.input, run.input].map((text) => JSON.parse(text ?? ''));
    expect(after.token.$secret).toMatch(/^v1\./);
    expect(after.token.$secret).not.toBe(before.token.$secret);
    expect(run.requestHash).toMatch(/^signed:/);
    expect(words(page)).toContain('Repeats');
    expect([answer, page].flatMap(({ text }) => tracesIn(text))).toEqual([]);
    expect(tracesOnDisk(db)).toEqual([]);
    expect(await service.runs()).toHaveLength(2);
  });

  test('of a run whose secret can not be read is refused in words', async () => {
    const first = await serveDeploys();
    await start(first.ask, given);
    const old = await finish(first);
    await first.service.stop();
    const { ask } = await serveDeploys({ db: first.db, key: OTHER_KEY });

    const answer = await ask(
      'POST',
      `/runs/${encodeURIComponent(old.id)}/reruns`,
      form({ key: 'a' }),
    );

    expect(answer.status).toBe(409);
    expect(answer.text).toContain('which PUNCTUAL_SECRET_KEY does not have');
  });
});

describe('what a handler leaves behind', () => {
  /** A job whose handler goes on until the test says otherwise. */
  async function serveWaiting() {
    const db = tempDb();
    const { input } = deploying(() => undefined);
    const culprits: (Culprit | undefined)[] = [];
    const ends: ((error: Error) => void)[] = [];
    const run = (): Promise<never> => {
      culprits.push(currentCulprit());
      return new Promise((_, reject) => ends.push(reject));
    };
    const jobs = [byHand({ name: 'deploy', input: input as never, run })];
    const served = await serve(jobs, { path: db, env: { PUNCTUAL_SECRET_KEY: KEY } });
    await start(served.ask, given);
    await served.service.settle();
    return { ...served, db, culprit: culprits[0], end: ends[0] ?? (() => undefined) };
  }
  const named = (): Error => Object.assign(new Error(`with ${SECRET}`), { name: `No${SECRET}` });

  test('has no secret in it: a stray error, and one that comes when all is over', async () => {
    const { service, db, culprit, end } = await serveWaiting();

    culprit?.fail(named(), 'thrown in a callback');
    end(named());
    await service.idle();
    culprit?.fail(named(), 'thrown too late');
    await service.settle();

    const run = await service.lastRun();
    expect(run.error).toMatchObject({
      name: 'No[secret]',
      message: 'thrown in a callback: with [secret]',
    });
    expect(run.error?.stack).toContain('with [secret]');
    expect(run.lateResult?.error?.message).toBe('thrown too late: with [secret]');
    expect(service.logged.join('\n')).toContain('thrown too late: with [secret]');
    expect(service.logged.flatMap(tracesIn)).toEqual([]);
    expect(tracesOnDisk(db)).toEqual([]);
  });

  test('has no secret in it where a schema made another text of it', async () => {
    const token = v.pipe(v.string(), v.metadata({ secret: true }), v.toUpperCase());
    const input = toStandardJsonSchema(v.object({ token }));
    const run = ({ log, input: got }: JobContext): void =>
      log(`${SECRET} is ${JSON.stringify(got)}`);
    const jobs = [byHand({ name: 'deploy', input, run })];
    const served = await serve(jobs, { env: { PUNCTUAL_SECRET_KEY: KEY } });
    await start(served.ask, { token: SECRET });
    await served.service.idle();

    const { id } = await served.service.lastRun();
    const log = await served.ask('GET', `/runs/${encodeURIComponent(id)}/log.txt`);

    expect(log.text).toContain('[secret] is {"token":"[secret]"}');
  });

  test('has no secret in it when its time was up', async () => {
    const { service, db, end } = await serveWaiting();

    await service.clock.advance(700_000);
    end(named());
    await service.idle();

    const run = await service.lastRun();
    expect(run.error).toMatchObject({ name: 'No[secret]', message: 'with [secret]' });
    expect(service.logged.flatMap(tracesIn)).toEqual([]);
    expect(tracesOnDisk(db)).toEqual([]);
  });
});
