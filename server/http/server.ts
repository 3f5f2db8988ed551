import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { Log } from '../core/deps.ts';
import { isTooLong } from './body.ts';
import { answer, Connections } from './connections.ts';
import { HttpError } from './errors.ts';

// Imported as a module it brings along, at 20 ms, what `fetch` and web sockets are made of.
const { createServer } = process.getBuiltinModule('node:http');

/** How long whoever asks may take for their part, and how many may be at it. */
export interface ServerLimits {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly checkMs: number;
  readonly stalledMs: number;
  readonly keepAliveMs: number;
  readonly maxConnections: number;
}

export const LIMITS: ServerLimits = {
  /** The head of a request fits a packet or two; even a telephone in a tunnel's mouth sends it. */
  headersMs: 10_000,
  /**
   * All of a request: 64 KB come in this time at 3.2 KB a second. It ends with the last byte of the
   * body: how long the answer takes, of a run that is waited for, does not count.
   */
  requestMs: 20_000,
  /** How often Node looks whether time is up, so by so much later it is noticed. It is cheap. */
  checkMs: 1000,
  /**
   * For so long somebody may take nothing of an answer that is being sent; Node notices after up to
   * twice as long.
   */
  stalledMs: 15_000,
  /**
   * Proxies keep idle connections for 60 s (nginx, most balancers). Whoever closes first must not
   * be the one that the next request is sent to, so here it is a little longer.
   */
  keepAliveMs: 65_000,
  /**
   * More than people and programs need by far, so that those who only hold on to a connection leave
   * room for others. Each costs some 20 KB, with a head that does not end: 80 MB for all.
   */
  maxConnections: 4000,
};

/** Of what this process may have open, the rest is for its store, its jobs and their threads. */
const CONNECTIONS_PART = 1 / 2;
/** Addresses, names and values of a head, in all: a session and a signed assertion fit twice. */
const HEAD_BYTES = 16 * 1024;
const HEADERS_LIMIT = 100;
/** Afterwards a connection begins anew, without whatever was kept for it; as many as in nginx. */
const REQUESTS_LIMIT = 1000;
/** The system finds out who has gone without a word, while a long run is waited for. */
const PROBE_AFTER_MS = 60_000;
/** Making room looks at all connections, so it is not done for each that is turned away. */
const MAKE_ROOM_MS = 1000;

/**
 * The server for an app, with a limit to all that comes before its routes. With as many connections
 * as there may be, those that are idle go first.
 */
export function makeServer(
  app: RequestListener,
  { log, ...given }: { readonly log: Log } & Partial<ServerLimits>,
): Server {
  const server = limited({ ...LIMITS, ...given });
  const connections = new Connections();
  const serve: RequestListener = (req, res) => {
    connections.begin(req, res);
    const refusal = refusalOf(req);
    if (refusal === undefined) app(req, res);
    else answer(res, refusal);
  };
  const makeRoom = (): void => {
    server.closeIdleConnections();
    log('warn', 'too_many_connections', { limit: server.maxConnections });
  };
  server.on('request', serve);
  server.on('checkContinue', (req, res) => {
    // Whoever asks before sending is spared what would be refused.
    if (!isTooLong(req.headers)) res.writeContinue();
    serve(req, res);
  });
  server.on('checkExpectation', (_req, res) => {
    answer(res, new HttpError(417, 'Expectation failed', 'only 100-continue can be expected here'));
  });
  server.on('connect', (_req, socket) => {
    connections.end(socket, new HttpError(405, 'Method not allowed', 'this is no proxy', NO_PROXY));
  });
  server.on('clientError', (error, socket) => connections.fail(error, socket));
  server.on('drop', seldom(makeRoom, MAKE_ROOM_MS));
  // Before that, it is the port that can't be had, which is for whoever listens to tell.
  server.once('listening', () => {
    server.on('error', ({ message }) => log('error', 'connection_not_accepted', { message }));
  });
  return server;
}

function limited(limits: ServerLimits): Server {
  const server = createServer({
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.checkMs,
    keepAliveTimeout: limits.keepAliveMs,
    maxHeaderSize: HEAD_BYTES,
    insecureHTTPParser: false,
    // Looked at below, where it gets an answer with words.
    requireHostHeader: false,
    keepAlive: true,
    keepAliveInitialDelay: PROBE_AFTER_MS,
  });
  server.timeout = limits.stalledMs;
  // Not every release of Node 24 refuses those beyond; the others leave them out without a word.
  server.maxHeadersCount = HEADERS_LIMIT + 1;
  server.maxRequestsPerSocket = REQUESTS_LIMIT;
  const most = Math.floor(descriptors() * CONNECTIONS_PART);
  server.maxConnections = Math.min(limits.maxConnections, most);
  return server;
}

const NO_PROXY = { headers: { Allow: 'GET, HEAD, POST, PUT, DELETE, OPTIONS' } } as const;

/** What no route may see: to each part of an app it could mean something else. */
function refusalOf(req: IncomingMessage): HttpError | undefined {
  const { url = '', rawHeaders, httpVersion } = req;
  const bad = (detail: string): HttpError => new HttpError(400, 'Bad request', detail);
  if (rawHeaders.length > 2 * HEADERS_LIMIT) {
    const detail = `there may be at most ${HEADERS_LIMIT} headers`;
    return new HttpError(431, 'Too many headers', detail);
  }
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return bad('send HTTP/1.1');
  if (!/^\/(?!\/)/.test(url)) return bad('the target must be a path, beginning with one slash');
  const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length > 1) return bad('there may be one Host header only');
  if (hosts.length === 0 && httpVersion === '1.1') return bad('there must be a Host header');
  return undefined;
}

function seldom(act: () => void, everyMs: number): () => void {
  let last = -Infinity;
  return () => {
    const now = performance.now();
    if (now - last < everyMs) return;
    last = now;
    act();
  };
}

/** How much this process may have open at once, files and all, where the system says (Linux). */
function descriptors(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity);
  } catch {
    return Infinity;
  }
}
