import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What is asked again and again over one connection. */
export interface Asked {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The status that counts; any other is an error. */
  readonly status: number;
}

export interface Load {
  readonly url: string;
  /** For each connection what is asked over it, one after the other and then again. */
  readonly asked: readonly (readonly Asked[])[];
  readonly ms: number;
}

/**
 * Asks over so many connections at once, on each the next when the one before is answered; gives
 * the answers a second. It reads no more of an answer than where it ends, so that it takes less of
 * a core than any server does.
 */
export async function load({ url, asked, ms }: Load): Promise<number> {
  const { hostname, port } = new URL(url);
  const from = performance.now();
  const counts = await Promise.all(
    asked.map(async (all) => {
      const requests = all.map((one) => ({ status: one.status, bytes: bytesOf(one, hostname) }));
      let count = 0;
      // A server may end a connection after so many answers: there is another one, then.
      while (performance.now() - from < ms) {
        const socket = connect({ host: hostname, port: Number(port), noDelay: true });
        await once(socket, 'connect');
        count += await askOver(socket, requests, { done: count, until: from + ms });
      }
      return count;
    }),
  );
  const count = counts.reduce((sum, one) => sum + one, 0);
  return (count / (performance.now() - from)) * 1000;
}

function bytesOf({ method, path, headers, body = '' }: Asked, host: string): Buffer {
  const json = body === '' ? {} : { 'Content-Type': 'application/json' };
  const all = { Host: host, ...json, 'Content-Length': Buffer.byteLength(body), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}

interface Request {
  readonly status: number;
  readonly bytes: Buffer;
}

interface Until {
  /** How many were answered before, on other connections. */
  readonly done: number;
  readonly until: number;
}

/** Gives how many were answered, until the time is up or the server says that it was the last. */
function askOver(
  socket: Socket,
  requests: readonly Request[],
  { done, until }: Until,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let count = 0;
  let text = '';
  const next = (): Request | undefined => requests[(done + count) % requests.length];
  const send = (): void => void socket.write(next()?.bytes ?? '');
  socket.setEncoding('latin1');
  socket.on('error', reject);
  socket.on('close', () => reject(new Error(`hung up after: ${text}`)));
  socket.on('data', (data: string) => {
    text += data;
    const head = text.indexOf('\r\n\r\n');
    const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
    if (head === -1 || text.length < head + 4 + Number(length)) return;
    const status = next()?.status;
    if (!text.startsWith(`HTTP/1.1 ${status} `)) reject(new Error(`expected ${status}: ${text}`));
    // Both servers say how long an answer is.
    if (length === undefined) reject(new Error(`an answer without a length: ${text}`));
    count += 1;
    const isLast = performance.now() >= until || /\r\nconnection: close\r\n/i.test(text);
    text = '';
    if (!isLast) return send();
    resolve(count);
    socket.destroy();
  });
  send();
  return promise;
}
