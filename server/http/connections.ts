import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HttpError, PROBLEM_TYPE, problemText } from './errors.ts';

// Imported as a module it brings along, at 20 ms, what `fetch` and web sockets are made of.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/**
 * Who is cut off while still sending may never see the answer, for a reset overtakes it. So what
 * comes after one is let by for a moment, and no more of it than this.
 */
const LET_BY_MS = 1000;
const LET_BY_BYTES = 256 * 1024;

/**
 * Answers on a connection where no route can: to what is no request, or does not come to an end.
 * Each of these answers is the last on its connection.
 */
export class Connections {
  /** The newest answer on each connection; answers go out in the order of their requests. */
  readonly #newest = new WeakMap<Duplex, ServerResponse>();
  readonly #ending = new WeakSet<Duplex>();
  /** The last request on each connection that was answered before all of it was there. */
  readonly #early = new WeakMap<Duplex, IncomingMessage>();

  /** Notes the beginning of a request. */
  begin(req: IncomingMessage, res: ServerResponse): void {
    const { socket: connection } = req;
    this.#newest.set(connection, res);
    res.once('close', () => {
      if (this.#newest.get(connection) === res) this.#newest.delete(connection);
    });
    // The socket says when nothing has come or gone for a while. While a handler is at work that
    // is as it should be; it is not when part of an answer waits to be taken.
    res.on('timeout', (socket: Socket) => {
      if (socket.writableLength > 0) socket.destroy();
    });
    // Before Node's own listener, which would read all the rest however long that is.
    res.prependOnceListener('finish', () => {
      if (req.complete) return;
      this.#early.set(connection, req);
      letBy(req);
    });
  }

  /** Answers what the parser could make nothing of, or what took too long to come. */
  fail(error: Error, socket: Duplex): void {
    if (this.#ending.has(socket)) return;
    // It has its answer: another, to what is wrong with its rest, would be to no request at all.
    if (this.#early.get(socket)?.complete === false) return;
    const problem = problemOf(error);
    // Browsers open connections before they need them: one that said nothing is told nothing.
    const silent = Reflect.get(socket, 'bytesRead') === 0;
    if (problem === undefined || silent || !socket.writable) return void socket.destroy(error);
    const res = this.#newest.get(socket);
    if (res === undefined) return this.end(socket, problem);
    if (res.req.complete) {
      // This is about what came after it: its own answer is still to go out.
      this.#ending.add(socket);
      socket.pause();
      res.once('close', () => lastWords(socket, problem));
    } else if (res.headersSent) socket.destroy(error);
    else answer(res, problem);
  }

  /** Answers on a connection that has no request any more, and ends it. */
  end(socket: Duplex, problem: HttpError): void {
    // In between the answers to those before it would be read as a part of them.
    if (this.#newest.has(socket)) return void socket.destroy();
    this.#ending.add(socket);
    socket.on('error', () => undefined);
    lastWords(socket, problem);
  }
}

/** Answers a request that is for no route, and ends its connection. */
export function answer(res: ServerResponse, problem: HttpError): void {
  const text = problemText(problem);
  res.writeHead(problem.status, headersOf(problem, text)).end(text);
}

const headersOf = ({ headers }: HttpError, text: string): Record<string, string> => ({
  ...headers,
  Connection: 'close',
  'Content-Type': PROBLEM_TYPE,
  'Content-Length': String(Buffer.byteLength(text)),
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
});

function lastWords(socket: Duplex, problem: HttpError): void {
  const text = problemText(problem);
  const headers = { Date: new Date().toUTCString(), ...headersOf(problem, text) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const status = `${problem.status} ${STATUS_CODES[problem.status] ?? problem.title}`;
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${text}`);
  const timer = setTimeout(() => socket.destroy(), LET_BY_MS).unref();
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
}

/** Lets the rest of a body by that nobody wants. */
function letBy(req: IncomingMessage): void {
  const { socket } = req;
  let left = LET_BY_BYTES;
  const timer = setTimeout(() => socket.destroy(), LET_BY_MS).unref();
  const over = (): void => {
    clearTimeout(timer);
    socket.off('close', over);
  };
  req.once('end', over);
  socket.once('close', over);
  req.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) req.pause();
  });
}

/** Undefined where nobody is there any more to be told. */
function problemOf(error: Error): HttpError | undefined {
  const code = String(Reflect.get(error, 'code'));
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HttpError(408, 'Too slow', 'the request did not come to its end; send it at once');
    case 'HPE_HEADER_OVERFLOW':
      return new HttpError(
        431,
        'Headers too large',
        'there may be 16 KB of headers, and 100 of them',
      );
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new HttpError(413, 'Body too large', 'chunks may have no long extensions');
    default: {
      if (!code.startsWith('HPE_')) return undefined;
      const reason = String(Reflect.get(error, 'reason') ?? code);
      return new HttpError(400, 'Bad request', `this is not HTTP/1.1: ${reason}`);
    }
  }
}
