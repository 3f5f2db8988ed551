import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { call } from '../call.ts';
import { certificateFor } from '../../observe/certificate.ts';
import { beginJobs, jobs, startCalled, startProxy } from './cli.ts';

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Whatever answers at an address where the service should. */
async function stranger(answer: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(answer))}`;
}

/** What is said of it, without the address. */
async function told(url: string, env: Record<string, string> = {}, words = ['runs']) {
  const { status, out, err } = await jobs(words, { PUNCTUAL_URL: url, ...env });
  expect(out).toBe('');
  expect(err).not.toMatch(/^ +at /m);
  return `${status} ${err.trim().replaceAll(url, 'URL')}`;
}

describe('where no service answers', () => {
  test('it is said which address that is, and what to do', async () => {
    const own = await jobs(['trigger', 'x'], { PORT: '9' });

    expect(await told('http://127.0.0.1:9')).toMatch(
      /^6 no server answers at URL \(connect ECONNREFUSED .*\): is PUNCTUAL_URL right, and does it run\?$/,
    );
    expect(own.status).toBe(6);
    expect(own.err).toMatch(
      /^no server answers at http:\/\/127\.0\.0\.1:9 .*: start it with npm start\n$/,
    );
    expect(await told('http://punctual.invalid')).toMatch(/^6 nobody knows the host of URL/);
  });

  test('the wrong scheme, and a certificate that nobody vouches for, are told apart', async () => {
    const tls = await listen(createTlsServer(certificateFor('localhost')));
    const plain = await listen(createServer());

    expect(await told(`https://127.0.0.1:${plain}`)).toMatch(
      /^6 no TLS is spoken at URL \(.*\): should PUNCTUAL_URL begin with http:\/\/\?$/,
    );
    expect(await told(`http://127.0.0.1:${tls}`)).toMatch(
      /^6 no answer came from URL \(.*\): should PUNCTUAL_URL begin with https:\/\/\?$/,
    );
    expect(await told(`https://localhost:${tls}`)).toMatch(
      /^6 who answers at URL \(.*\) can't be trusted: .*NODE_EXTRA_CA_CERTS=file$/,
    );
  });

  test.each([
    ['punctual.example.com', /^2 PUNCTUAL_URL is "URL"; right would be such as https:/],
    ['localhost:8080', /^2 PUNCTUAL_URL is "URL"; right/],
    ['ftp://example.com', /^2 PUNCTUAL_URL is "URL"; right/],
    ['https://ann:secret@example.com', /^2 PUNCTUAL_URL has a user or a password, /],
    ['https://example.com/?a=b', /^2 PUNCTUAL_URL is "URL", which is more than an address/],
  ])('%s is no address of one', async (url, words) => {
    const said = await told(url);

    expect(said).toMatch(words);
    expect(said).not.toContain('secret');
  });

  test('a page instead of an answer is taken for what it is', async () => {
    const page = '<!doctype html><title>Sign in \u001b[31m</title>';
    const html = await stranger((_req, res) =>
      res.setHeader('Content-Type', 'text/html').end(page),
    );
    const away = await stranger((_req, res) =>
      res.writeHead(302, { Location: 'https://accounts.example.com/login' }).end(),
    );
    const upgrade = await stranger((req, res) =>
      res.writeHead(308, { Location: `https://${req.headers.host}${req.url}` }).end(),
    );
    const refusing = await stranger((_req, res) => res.writeHead(403).end(page));
    const broken = await stranger((_req, res) => res.writeHead(502).end('Bad gateway'));
    const list = await stranger((_req, res) =>
      res.setHeader('Content-Type', 'application/json').end('"yes"'),
    );

    expect(await told(html)).toMatch(
      /^6 URL answers 200 with a web page \("Sign in \\u001b\[31m"\): is it Punctual, or a proxy/,
    );
    expect(await told(away)).toMatch(
      /^6 URL answers 302, and sends on to https:\/\/accounts\.example\.com\/login: something before it wants people to sign in/,
    );
    expect(await told(upgrade)).toMatch(/: set PUNCTUAL_URL to https:\/\/127\.0\.0\.1:\d+$/);
    expect(await told(refusing)).toMatch(/^3 URL answers 403 with a web page/);
    expect(await told(broken)).toMatch(/^6 URL answers 502 with "Bad gateway"/);
    expect(await told(list)).toMatch(/^6 URL answers 200 with ""yes""/);
  });

  test('what a server of another version has no address for is told as that', async () => {
    const problem = { title: 'Not found', status: 404, detail: 'there is no /api/v1/upcoming' };
    const older = await stranger((_req, res) =>
      res
        .writeHead(404, { 'Content-Type': 'application/problem+json' })
        .end(JSON.stringify(problem)),
    );

    expect(await told(older, {}, ['upcoming'])).toBe(
      '6 the server at URL does not know this request (there is no /api/v1/upcoming): it is of ' +
        'another version',
    );
  });

  test('answers that lack what is expected are shown as far as they go', async () => {
    const url = await stranger((_req, res) =>
      res
        .setHeader('Content-Type', 'application/json')
        .end(JSON.stringify({ runs: [{ id: 'a!b', new: 1 }, { state: 'dreaming' }], next: null })),
    );

    const { status, out } = await jobs(['runs'], { PUNCTUAL_URL: url });

    expect(status).toBe(0);
    expect(out).toMatch(/^- +- +- +- +- +a!b\n- +dreaming +- +- +- +-$/m);
  });
});

describe('the token', () => {
  const AUTH = { PUNCTUAL_AUTH: 'tokens' };
  const makeToken = (role: string, here: Record<string, string>, ...more: string[]): string =>
    call('tokens.ts', ['add', `of-a-${role}`, '--role', role, ...more], here).out.trim();

  test('is asked for where there is none, and told to be wrong where it is', async () => {
    const { server } = await startCalled(AUTH);
    const PUNCTUAL_TOKEN = `pun_${'a'.repeat(16)}_${'b'.repeat(43)}`;

    const none = await told(server.url);
    const wrong = await told(server.url, { PUNCTUAL_TOKEN });

    expect(none).toMatch(
      /^3 only those .* are answered; set PUNCTUAL_TOKEN to a token of this service/,
    );
    expect(wrong).toMatch(
      /^3 only those .*; it does not take this PUNCTUAL_TOKEN: it may be revoked/,
    );
    expect(wrong).not.toContain(PUNCTUAL_TOKEN);
  });

  test('says what its bearer may do', async () => {
    const { server, here } = await startCalled(AUTH);
    const viewer = { PUNCTUAL_URL: server.url, PUNCTUAL_TOKEN: makeToken('viewer', here) };
    const token = makeToken('operator', here, '--jobs', 'quick');
    const operator = { PUNCTUAL_URL: server.url, PUNCTUAL_TOKEN: `${token}\n` };

    const shown = await jobs(['list'], viewer);
    const refused = await jobs(['trigger', 'quick'], viewer);
    const done = await jobs(['trigger', 'quick', '--wait'], operator);
    const hidden = await jobs(['trigger', 'fails'], operator);
    const own = await jobs(['trigger', 'quick'], { ...here, PUNCTUAL_TOKEN: token });

    expect([shown.status, refused.status, done.status, hidden.status, own.status]).toEqual([
      0, 3, 0, 4, 0,
    ]);
    expect(refused.err).toMatch(/^a viewer may look, and change nothing/);
    expect((await jobs(['runs', 'quick'], viewer)).status).toBe(0);
  });

  test('crosses no network in clear', async () => {
    const PUNCTUAL_TOKEN = 'pun_secret';

    const said = await told('http://punctual.example.com:8080', { PUNCTUAL_TOKEN });

    expect(said).toMatch(/^2 PUNCTUAL_TOKEN is not sent to URL, .*: use https, or a tunnel /);
    expect(said).not.toContain(PUNCTUAL_TOKEN);
  });

  test('follows no redirect, and what repeats it is shown without it', async () => {
    const seen: (string | undefined)[] = [];
    const other = await stranger((req, res) => {
      seen.push(req.headers.authorization);
      res.end();
    });
    const url = await stranger((req, res) => {
      seen.push(req.headers.authorization);
      if (req.url?.startsWith('/api/v1/runs')) res.writeHead(307, { Location: other }).end();
      else res.writeHead(500).end(`headers: ${JSON.stringify(req.headers)}`);
    });
    const PUNCTUAL_TOKEN = 'pun_secret';

    await told(url, { PUNCTUAL_TOKEN });
    const repeated = await told(url, { PUNCTUAL_TOKEN }, ['system']);

    expect(seen).toEqual(['Bearer pun_secret', 'Bearer pun_secret']);
    expect(repeated).toMatch(/^6 URL answers 500 with .*Bearer \[token\]/);
    expect(repeated).not.toContain(PUNCTUAL_TOKEN);
  });

  test('does not stand among the words of the process, which everybody can read', async () => {
    const { server } = await startCalled();
    const proxy = await startProxy(server.url);
    proxy.hold();
    const env = { PUNCTUAL_URL: proxy.url, PUNCTUAL_TOKEN: 'pun_secret' };
    const { child, ended } = beginJobs(['runs'], env);
    await expect.poll(() => proxy.held()).toBeGreaterThan(0);

    const words = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8');
    child.kill('SIGKILL');
    await ended;

    expect(words).toContain('jobs.ts\0runs');
    expect(words).not.toContain('secret');
  });

  test('that can be no token is refused without repeating it', async () => {
    const said = await told('https://example.com', { PUNCTUAL_TOKEN: 'pun_se\ncret' });

    expect(said).toBe('2 PUNCTUAL_TOKEN has a character that no token has');
  });
});
