import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { until } from '../../process/server.ts';
import { beginJobs, jobs, SCRIPT, startCalled, startProxy } from './cli.ts';

const ID = /^([a-z]+![a-z0-9]{20,}) /m;

/** Collects what a process prints, to be looked at while it goes on. */
function hear({ child }: ReturnType<typeof beginJobs>) {
  let heard = '';
  child.stdout.on('data', (data: Buffer) => (heard += data.toString()));
  return (what: RegExp) => until(async () => what.exec(heard)?.[0], 20_000);
}

test('--follow shows the log as it comes, each line once, over a restart of the server', async () => {
  const { server, restart, here, input, open } = await startCalled();
  const called = beginJobs(['trigger', 'waits', '--input', input({ gate: 'g' }), '--follow'], here);
  const heard = hear(called);
  await heard(/look 0\n/);

  await server.end('SIGTERM');
  const next = await restart();
  await heard(/\(attempt 2\)\n.*look 0\n/);
  open('g');
  const { status, out, err } = await called.ended;

  expect(status).toBe(0);
  expect(out).toMatch(/^waits!\S+ succeeded in .*: went through\n$/m);
  expect(out.match(/asked to stop: the process is shutting down/g)).toHaveLength(1);
  expect(out.match(/the gate is open/g)).toHaveLength(1);
  expect(err).toMatch(/^no (?:server|answer) .*; asking again\n$/);
  expect(await next.runs('waits')).toHaveLength(1);
});

test('--wait waits without a word until the run is over, over a server that was killed', async () => {
  // The run is to be lost with its server, and soon.
  const lease = { PUNCTUAL_LEASE_MS: '4000' };
  const { server, restart, here, input, open } = await startCalled(lease);
  const called = beginJobs(['trigger', 'waits', '--input', input({ gate: 'g' }), '--wait'], here);
  await hear(called)(/running\n/);

  await server.end('SIGKILL');
  open('g');
  const next = await restart();
  const { status, out } = await called.ended;

  expect(status).toBe(0);
  expect(out.split('\n').slice(2)).toEqual([expect.stringMatching(/^waits!\S+ succeeded/), '']);
  expect(await next.runs('waits')).toHaveLength(1);
});

test('a server that has gone for good is 6, and what became of the run is not guessed', async () => {
  const { server, here, input } = await startCalled();
  const words = ['trigger', 'waits', '--input', input({ gate: 'g' }), '--wait', '10'];
  const called = beginJobs(words, here);
  await hear(called)(/running\n/);

  await server.end('SIGKILL');
  const { status, out, err } = await called.ended;

  expect(status).toBe(6);
  expect(out.trimEnd().split('\n')).toHaveLength(2);
  expect(err).toMatch(
    /^no (?:server|answer) .*; asking again\nno server answers at .*npm start\n$/,
  );
});

describe('an answer that is lost', () => {
  test.each(['trigger', 'rerun', 'backfill'])(
    '%s is asked again, and done once',
    async (command) => {
      const { server, here } = await startCalled();
      const first = ID.exec((await jobs(['trigger', 'quick', '--wait'], here)).out)?.[1] ?? '';
      const proxy = await startProxy(server.url);
      const words = {
        trigger: ['fails', '--wait'],
        rerun: [first],
        backfill: ['old', '--from', '2026-03-01T00:00:00Z', '--to', '2026-03-01T00:00:30Z'],
      }[command]!;
      proxy.lose(2);

      const told = await jobs([command, ...words], { PUNCTUAL_URL: proxy.url });

      expect(proxy.lost()).toBe(2);
      expect(told.status).toBe(command === 'trigger' ? 1 : 0);
      expect(told.err).toMatch(/^no answer came from .*; asking again\n$/);
      const { length } = await server.runs(command === 'trigger' ? 'fails' : 'quick');
      expect(length).toBe(command === 'rerun' ? 2 : 1);
      const { backfills } = await server.json<{ backfills: object[] }>(
        '/api/v1/jobs/old/backfills',
      );
      expect(backfills).toHaveLength(command === 'backfill' ? 1 : 0);
    },
  );

  test('of a cancellation is told: it may be done, so it is not asked for again', async () => {
    const { server, here, input } = await startCalled();
    const started = await jobs(['trigger', 'waits', '--input', input({ gate: 'g' })], here);
    const proxy = await startProxy(server.url);
    proxy.lose(1);

    const told = await jobs(['cancel', ID.exec(started.out)?.[1] ?? ''], {
      PUNCTUAL_URL: proxy.url,
    });

    expect([told.status, proxy.lost()]).toEqual([6, 1]);
    expect(told.err).toMatch(
      /^no answer came from \S+ \(socket hang up\).*; it may be done all the same/,
    );
    await expect.poll(async () => (await server.runs('waits'))[0]?.state).toBe('cancelled');
  });
});

describe('Ctrl-C', () => {
  test('ends the waiting, not the run, and says how that would be ended', async () => {
    const { server, here, input } = await startCalled();
    const words = ['trigger', 'waits', '--input', input({ gate: 'g' }), '--wait'];
    const called = beginJobs(words, here);
    await hear(called)(/running\n/);

    // As npm does it: once from the terminal, once from npm.
    called.child.kill('SIGINT');
    called.child.kill('SIGINT');
    const { status, out, err } = await called.ended;

    const id = ID.exec(out)?.[1] ?? '';
    expect(status).toBe(130);
    expect(err).toBe(
      `not waited for any more; the run goes on. To cancel it: npm run -s jobs -- cancel '${id}'\n`,
    );
    expect((await server.runs('waits'))[0]?.state).toBe('running');
    const cancelled = await jobs(['cancel', id], here);
    expect(cancelled).toMatchObject({ status: 0, out: `${id} was asked to stop\n` });
    await expect.poll(async () => (await server.runs('waits'))[0]?.state).toBe('cancelled');
  });

  test('before there is an answer names the key that finds out what became of it', async () => {
    const { server, here } = await startCalled();
    const proxy = await startProxy(server.url);
    proxy.hold();
    const called = beginJobs(['trigger', 'quick', '--key', 'mine'], { PUNCTUAL_URL: proxy.url });
    await expect.poll(async () => (await server.runs('quick')).length).toBe(1);

    called.child.kill('SIGINT');
    const { status, out, err } = await called.ended;
    const again = await jobs(['trigger', 'quick', '--key', 'mine'], here);

    expect([status, out]).toEqual([130, '']);
    expect(err).toMatch(/whether it was started, the same with --key mine finds out\n$/);
    expect(ID.exec(again.out)?.[1]).toBe((await server.runs('quick'))[0]?.id);
    expect(await server.runs('quick')).toHaveLength(1);
  });
});

describe('logs', () => {
  test('-f shows what comes until the run is over, from the server or from the store itself', async () => {
    const { here, named, input, open } = await startCalled();
    const started = await jobs(['trigger', 'waits', '--input', input({ gate: 'g' })], here);
    const id = ID.exec(started.out)?.[1] ?? '';
    const both = [here, named].map((env) => beginJobs(['logs', id, '-f'], env));
    await Promise.all(both.map(async (one) => hear(one)(/look 1\n/)));

    open('g');
    const told = await Promise.all(both.map(({ ended }) => ended));
    const whole = await jobs(['logs', id], here);

    expect(told).toEqual([whole, whole]);
    expect(whole.out).toMatch(/look 0\n.*look 1\n[^]*the gate is open\n$/);
  });

  test('--limit shows the newest lines, and then what comes', async () => {
    const { here, input, open } = await startCalled();
    const started = await jobs(['trigger', 'waits', '--input', input({ gate: 'g' })], here);
    const id = ID.exec(started.out)?.[1] ?? '';
    const words = ['logs', id];
    await until(async () => /look 2\n/.test((await jobs(words, here)).out), 20_000);
    const called = beginJobs(['logs', id, '--limit', '1', '--json', '--follow'], here);
    await hear(called)(/look/);

    open('g');
    const { status, out } = await called.ended;

    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).text);
    expect(status).toBe(0);
    expect(lines[0]).toMatch(/^at the gate, look (?:[2-9]|\d{2,})$/);
    expect(lines.at(-1)).toBe('the gate is open');
    const newest = await jobs(['logs', id, '--limit', '1'], here);
    expect(newest.out).toMatch(/^\S+ info {2}the gate is open\n$/);
  });

  test('whoever closes the pipe ends it without a stack', async () => {
    const { here } = await startCalled();
    const { out } = await jobs(['trigger', 'talks', '--wait'], here);
    const command = 'set -o pipefail; "$0" "$@" | head -n 1';
    const piped = [process.execPath, SCRIPT, 'logs', ID.exec(out)?.[1] ?? ''];

    const ended = spawnSync('bash', ['--norc', '-c', command, ...piped], {
      env: { PATH: process.env['PATH'], ...here },
      encoding: 'utf8',
    });

    expect([ended.status, ended.stderr]).toEqual([141, '']);
    expect(ended.stdout).toMatch(/^\S+ info {2}line 1\n$/);
  });
});
