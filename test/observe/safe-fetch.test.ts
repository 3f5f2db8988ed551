import { get as httpGet } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isNear, type AddressKind } from '../../server/observe/addresses.ts';
import {
  Refused,
  safeFetch,
  type Resolve,
  type SafeRequest,
} from '../../server/observe/safe-fetch.ts';
import { certificateFor } from './certificate.ts';
import { receiver } from './receiver.ts';

const PUBLIC = (kind: AddressKind): boolean => kind === 'public';
const NEAR = (kind: AddressKind): boolean => isNear(kind);
const nobodyAsks: Resolve = () => {
  throw new Error('a name was looked up');
};

/** Says for each name what addresses it has, and keeps who asked. */
function names(known: Readonly<Record<string, readonly string[]>>) {
  const asked: string[] = [];
  const resolve: Resolve = async (name) => {
    asked.push(name);
    return (known[name] ?? []).map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }));
  };
  return { asked, resolve };
}

const get = (url: string, more: Partial<SafeRequest> = {}) =>
  safeFetch(new URL(url), {
    method: 'GET',
    headers: {},
    signal: new AbortController().signal,
    may: PUBLIC,
    resolve: nobodyAsks,
    ...more,
  });

const why = (asking: Promise<unknown>): Promise<string> =>
  asking.then(
    () => 'it was asked',
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe('however it is written, an address of this machine is refused', () => {
  test.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://127.0.0.1./',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0x7f.0.0.1/',
    'http://0177.0.0.1/',
    'http://017700000001/',
    'http://127.0.0.1:8080/',
    'http://%31%32%37.0.0.1/',
    'http://１２７。０。０。１/',
    'http://①②⑦.0.0.1/',
    'http:127.0.0.1',
    'http:\\\\127.0.0.1\\',
    'http://[::1]/',
    'http://[0:0:0:0:0:0:0:1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::127.0.0.1]/',
    'http://[2002:7f00:1::]/',
  ])('%s', async (url) => {
    expect(await why(get(url))).toMatch(/^Refused: .* is this machine itself, and is not asked$/);
  });

  test.each(['http://0/', 'http://0.0.0.0/', 'http://[::]/'])(
    '%s, which is this machine to some',
    async (url) => {
      expect(await why(get(url))).toMatch(/^Refused: .* is a reserved address, and is not asked$/);
    },
  );

  test('a zone has no place in a URL', () => {
    expect(() => new URL('http://[fe80::1%25eth0]/')).toThrow('Invalid URL');
  });

  test.each([
    ['localhost', '127.0.0.1'],
    ['localhost.', '127.0.0.1'],
    ['LOCALHOST', '::1'],
    ['metadata.google.internal', '169.254.169.254'],
    ['printer.local', 'fe80::1%eth0'],
    ['127.0.0.1.nip.io', '127.0.0.1'],
  ])('the name %s, which leads to %s', async (name, address) => {
    const { resolve } = names({ [name.toLowerCase().replace(/\.$/, '')]: [address] });

    expect(await why(get(`https://${name}/`, { resolve }))).toContain(`leads to ${address}, `);
  });

  test('the names of this machine, by its own resolver', async () => {
    const asking = get('http://localhost:9/', { resolve: undefined });

    expect(await why(asking)).toMatch(/^Refused: "localhost" leads to .*, this machine itself/);
  });
});

describe('a name', () => {
  test('is refused when any of its addresses is not public', async () => {
    const { resolve } = names({ 'hooks.example.com': ['93.184.216.34', '10.0.0.8'] });

    const asking = get('https://hooks.example.com/', { resolve });

    expect(await why(asking)).toBe(
      'Refused: "hooks.example.com" leads to 10.0.0.8, an address of a private network, ' +
        'and is not asked',
    );
  });

  test('with metadata among its addresses is refused even where private ones are allowed', async () => {
    const { resolve } = names({ 'hooks.example.com': ['127.0.0.1', '169.254.169.254'] });

    expect(await why(get('http://hooks.example.com/', { resolve, may: NEAR }))).toContain(
      'where a cloud hands out credentials',
    );
  });

  test('without an address is an error that says so', async () => {
    const { resolve } = names({});

    expect(await why(get('https://nobody.example.com/', { resolve }))).toBe(
      'Error: "nobody.example.com" has no address',
    );
  });

  test('is looked up once, and the connection goes to what was checked', async () => {
    const site = await receiver();
    let answers = [['127.0.0.1'], ['127.0.0.2'], ['127.0.0.3']];
    const resolve: Resolve = async () =>
      (answers.shift() ?? []).map((address) => ({ address, family: 4 }));

    const { status } = await get(`http://rebinding.example.com:${site.port}/a?b=c`, {
      resolve,
      may: NEAR,
    });

    expect(status).toBe(204);
    expect(answers).toHaveLength(2);
    expect(site.received).toMatchObject([
      { path: '/a?b=c', headers: { host: `rebinding.example.com:${site.port}` } },
    ]);
  });

  test('of which the first address does not answer is asked at the next', async () => {
    const site = await receiver();
    const { resolve } = names({ 'two.example.com': ['127.0.0.9', '127.0.0.1'] });

    const { status } = await get(`http://two.example.com:${site.port}/`, { resolve, may: NEAR });

    expect(status).toBe(204);
  });
});

describe('TLS', () => {
  const own = certificateFor('hooks.example.com');

  test('holds to the name, whatever the address', async () => {
    const site = await receiver(own);
    const { resolve } = names({
      'hooks.example.com': ['127.0.0.1'],
      'other.example.com': ['127.0.0.1'],
    });
    const more = { resolve, may: NEAR, ca: own.cert };

    const right = await get(`https://hooks.example.com:${site.port}/`, more);
    const dotted = await get(`https://hooks.example.com.:${site.port}/`, more);
    const wrong = await why(get(`https://other.example.com:${site.port}/`, more));

    expect([right.status, dotted.status]).toEqual([204, 204]);
    expect(wrong).toContain("does not match certificate's altnames");
    expect(site.received.map(({ servername }) => servername)).toEqual(
      Array(2).fill('hooks.example.com'),
    );
  });

  test('a certificate that nobody vouches for is refused, whatever the environment says', async () => {
    const site = await receiver(own);
    const { resolve } = names({ 'hooks.example.com': ['127.0.0.1'] });
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    onTestFinished(() => {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    });

    const asking = get(`https://hooks.example.com:${site.port}/`, { resolve, may: NEAR });

    expect(await why(asking)).toContain('self-signed certificate');
    expect(site.received).toEqual([]);
  });
});

describe('what is asked', () => {
  test.each([
    ['ftp://hooks.example.com/', 'ftp: is not asked: only https: and http: are'],
    ['file:///etc/passwd', 'file: is not asked'],
    ['https://ada:pw@hooks.example.com/', 'a user or password in it is not asked'],
  ])('%s is refused', async (url, words) => {
    const message = await why(get(url));

    expect(message).toContain(words);
    expect(message).not.toContain('pw');
  });

  test('a redirect is told, and not followed', async () => {
    const [site, inner] = [await receiver(), await receiver()];
    site.answers = [(res) => res.writeHead(302, { Location: `${inner.url}/secret` }).end()];

    const answer = await get(site.url, { may: NEAR });

    expect(answer).toEqual({ status: 302, location: `${inner.url}/secret` });
    expect(inner.received).toEqual([]);
  });

  test('a connection that is kept to the same name is not used', async () => {
    const site = await receiver();
    const before = await new Promise<number | undefined>((resolve, reject) => {
      httpGet(site.url, (answer) =>
        answer.resume().once('end', () => resolve(answer.statusCode)),
      ).once('error', reject);
    });
    // The agent takes it back a moment after the end.
    await new Promise((resolve) => setImmediate(resolve));

    const { status } = await get(site.url, { may: NEAR });

    expect([before, status]).toEqual([204, 204]);
    expect(new Set(site.received.map(({ port }) => port)).size).toBe(2);
  });
});

describe('an answer', () => {
  test('without an end is left after 64 KB', async () => {
    const site = await receiver();
    let closed = (): void => undefined;
    const left = new Promise<void>((resolve) => (closed = resolve));
    site.answers = [
      (res) => {
        res.on('close', closed);
        res.writeHead(200);
        const more = (): void => void (res.destroyed || res.write('x'.repeat(9999), more));
        more();
      },
    ];

    const { status } = await get(site.url, { may: NEAR });
    await left;

    expect(status).toBe(200);
  });

  test('that never comes ends with the reason of the signal', async () => {
    const site = await receiver();
    site.answers = [0];
    const late = new AbortController();

    const asking = why(get(site.url, { may: NEAR, signal: late.signal }));
    await site.count(1);
    late.abort(new Error('10 s are over'));

    expect(await asking).toBe('Error: 10 s are over');
  });

  test('of which the body never ends is known by its head', async () => {
    const site = await receiver();
    const late = new AbortController();
    site.answers = [
      (res) => {
        res.writeHead(202).write('a');
        setTimeout(() => late.abort(new Error('late')), 1000);
      },
    ];

    const { status } = await get(site.url, { may: NEAR, signal: late.signal });

    expect(status).toBe(202);
  });

  test.each([
    ['a head of 100 KB', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['nothing', ''],
    ['another protocol', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
  ])('that is %s is an error, and no crash', async (_what, bytes) => {
    const server = createServer((socket: Socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(bytes));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;

    expect(await why(get(`http://127.0.0.1:${port}/`, { may: NEAR }))).toMatch(/^Error: /);
  });
});

test('nothing is looked up or sent once the signal has fired', async () => {
  const { asked, resolve } = names({ 'a.example.com': ['93.184.216.34'] });

  const asking = get('https://a.example.com/', {
    resolve,
    signal: AbortSignal.abort(new Error('x')),
  });

  expect(await why(asking)).toBe('Error: x');
  expect(asked).toEqual([]);
});

test('a name that is never answered ends with the signal', async () => {
  const late = new AbortController();
  const resolve: Resolve = () => new Promise(() => undefined);

  const asking = get('https://a.example.com/', { resolve, signal: late.signal });
  late.abort(new Error('late'));

  await expect(asking).rejects.toThrow('late');
  expect(await asking.catch((error: unknown) => error instanceof Refused)).toBe(false);
});
