import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Scope } from './scope.ts';

/**
 * A bad connection to Firestore: stands between a client and the emulator, and does to each call
 * what it is told. Both sides speak gRPC, which is HTTP/2 without encryption here; each call is a
 * stream of its own, kept whole before it is passed on.
 */
export interface Proxy {
  /** `host:port`, to be used as the emulator's. */
  readonly address: string;
  /** How often each kind of fate came. */
  readonly fates: ReadonlyMap<Fate['kind'], number>;
  /** Calls that came in, by method. */
  readonly calls: ReadonlyMap<string, number>;
  /** Documents written and deleted by commits that were applied. */
  written(): number;
  /** Commits that were late, and applied all the same. */
  appliedLate(): number;
  /** Says what becomes of each call from now on. */
  setFates(of: FateOf): void;
}

/** What becomes of a call. `late` only differs from `delay` in that its client is gone by then. */
export type Fate =
  | { readonly kind: 'pass' }
  /** Takes so long on its way there. */
  | { readonly kind: 'delay' | 'late'; readonly ms: number }
  /** Is applied at once, and its reply takes so long on its way back. */
  | { readonly kind: 'reply delayed'; readonly ms: number }
  /** Is answered in the server's name and goes no further. */
  | { readonly kind: 'aborted' | 'unavailable' }
  /** Is applied, and then answered as if the server was not there. */
  | { readonly kind: 'applied, but unavailable' }
  /** Is applied, and its stream is reset; or the whole connection, with all that is under way. */
  | { readonly kind: 'reply reset' | 'connection cut' }
  /** Is applied, and the half of its reply arrives before its stream is reset. */
  | { readonly kind: 'reply cut short' }
  /** Is applied, and never answered. */
  | { readonly kind: 'reply lost' }
  /** Goes nowhere, and is never answered; `cut off` as all others of its connection for a while. */
  | { readonly kind: 'request lost' | 'cut off' };

/** Connections are numbered as they come. */
export type FateOf = (method: string, connection: number) => Fate;

export const PASS: Fate = { kind: 'pass' };

interface Reply {
  readonly headers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
  /** Undefined where the headers said all. */
  readonly trailers: http2.IncomingHttpHeaders | undefined;
}

/** Starts a proxy on a free port; it ends with the scope. */
export async function startProxy(upstream: string, scope: Scope): Promise<Proxy> {
  const there = connection(`http://${upstream}`);
  const server = http2.createServer();
  const sessions = new Map<http2.Http2Session, number>();
  const fates = new Map<Fate['kind'], number>();
  const calls = new Map<string, number>();
  let connections = 0;
  let written = 0;
  let appliedLate = 0;
  let fateOf: FateOf = () => PASS;

  async function handle(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) {
    const method = String(headers[':path']).split('/').at(-1) ?? '';
    const { session } = stream;
    const fate = fateOf(method, (session && sessions.get(session)) ?? 0);
    count(calls, method);
    count(fates, fate.kind);
    const body = await read(stream);
    await meet(fate, stream, async () => {
      const reply = await there.send(headers, body);
      if (method !== 'Commit' || !isOk(reply)) return reply;
      written += writesIn(body);
      if (fate.kind === 'late') appliedLate += 1;
      return reply;
    });
  }

  server.on('session', (session: http2.ServerHttp2Session) => {
    sessions.set(session, ++connections);
    session.on('close', () => sessions.delete(session)).on('error', () => undefined);
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    handle(stream, headers).catch(() => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.onEnd(() => {
    for (const session of sessions.keys()) session.destroy();
    server.close();
    there.close();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    fates,
    calls,
    written: () => written,
    appliedLate: () => appliedLate,
    setFates: (of) => void (fateOf = of),
  };
}

/** Does to one call what is its fate. `pass` passes it on, and gives the reply. */
async function meet(
  fate: Fate,
  stream: http2.ServerHttp2Stream,
  pass: () => Promise<Reply>,
): Promise<void> {
  switch (fate.kind) {
    case 'late':
    case 'delay':
      await wait(fate.ms);
      return answer(stream, await pass());
    case 'pass':
      return answer(stream, await pass());
    case 'reply delayed': {
      const reply = await pass();
      await wait(fate.ms);
      return answer(stream, reply);
    }
    case 'aborted':
      return answer(stream, status(10, 'contention on these documents'));
    case 'unavailable':
      return answer(stream, status(14, 'the service is unavailable'));
    case 'applied, but unavailable':
      await pass();
      return answer(stream, status(14, 'the service is unavailable'));
    case 'reply reset':
      await pass();
      return stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
    case 'reply cut short':
      return cutShort(stream, await pass());
    case 'connection cut':
      await pass();
      return stream.session?.destroy();
    case 'reply lost':
      return void (await pass());
    case 'request lost':
    case 'cut off':
  }
}

const count = <Key>(counts: Map<Key, number>, key: Key): void =>
  void counts.set(key, (counts.get(key) ?? 0) + 1);

/** One connection to the emulator, made again when it is gone. */
function connection(url: string) {
  let session: http2.ClientHttp2Session | undefined;
  return {
    async send(headers: http2.IncomingHttpHeaders, body: Buffer): Promise<Reply> {
      if (session === undefined || session.closed || session.destroyed) {
        session = http2.connect(url).on('error', () => undefined);
      }
      const { ':authority': _, ...passed } = headers;
      const stream = session.request(passed).end(body);
      let first: http2.IncomingHttpHeaders = {};
      let trailers: http2.IncomingHttpHeaders | undefined;
      stream.on('response', (got) => (first = got)).on('trailers', (got) => (trailers = got));
      return { body: await read(stream), headers: first, trailers };
    },
    close: () => session?.destroy(),
  };
}

async function read(stream: http2.Http2Stream): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

/** To a client that is gone nothing is said. */
function answer(stream: http2.ServerHttp2Stream, { headers, body, trailers }: Reply): void {
  if (stream.destroyed || stream.closed) return;
  if (trailers === undefined) return stream.respond(headers, { endStream: true });
  stream.respond(headers, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(body);
}

function cutShort(stream: http2.ServerHttp2Stream, { headers, body }: Reply): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond(headers);
  stream.write(body.subarray(0, body.length / 2), () =>
    setImmediate(() => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)),
  );
}

const status = (code: number, message: string): Reply => ({
  headers: {
    ':status': '200',
    'content-type': 'application/grpc',
    'grpc-status': `${code}`,
    'grpc-message': message,
  },
  body: Buffer.alloc(0),
  trailers: undefined,
});

const isOk = ({ headers, trailers }: Reply): boolean =>
  (trailers ?? headers)['grpc-status'] === '0';

const FRAME_BYTES = 5;
const WRITES = 2;
const WIRE_BYTES = 2;

/** How many writes a CommitRequest holds: its fields, all of them bytes, of number 2. */
function writesIn(frame: Buffer): number {
  let at = FRAME_BYTES;
  let writes = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = frame.readUInt8(at++);
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < frame.length) {
    const key = varint();
    if ((key & 7) !== WIRE_BYTES) throw new Error(`a commit has a field of wire type ${key & 7}`);
    if (key >> 3 === WRITES) writes += 1;
    const length = varint();
    at += length;
  }
  return writes;
}
