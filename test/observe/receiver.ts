import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** Of the connection: where it comes from, and the name that TLS was asked for. */
  readonly port: number | undefined;
  readonly servername: unknown;
  readonly body: Record<string, any>;
}

/** A real receiver of alerts on this machine. */
export interface Receiver {
  readonly port: number;
  readonly url: string;
  readonly received: readonly Received[];
  /** How the next ones are answered, in order; the last goes on. 0: not at all. */
  answers: (number | ((res: ServerResponse) => void))[];
  /** Resolves when so many have come. */
  count(wanted: number): Promise<void>;
}

export async function receiver(
  tls?: { readonly key: string; readonly cert: string },
  host = '127.0.0.1',
): Promise<Receiver> {
  const received: Received[] = [];
  const heard = new Set<() => void>();
  const answers: Receiver['answers'] = [204];
  const made: Receiver = {
    port: 0,
    url: '',
    received,
    answers,
    async count(wanted) {
      while (received.length < wanted) await new Promise<void>((resolve) => heard.add(resolve));
    },
  };
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const all = await text(req);
    const { method, url: path, headers, socket } = req;
    const { remotePort: port } = socket;
    const servername: unknown = Reflect.get(socket, 'servername');
    const body = all === '' ? {} : JSON.parse(all);
    received.push({ method, path, headers, text: all, port, servername, body });
    const how = made.answers.length > 1 ? made.answers.shift() : made.answers[0];
    if (typeof how === 'function') how(res);
    else if (how !== undefined && how !== 0) res.writeHead(how).end();
    for (const call of heard) call();
    heard.clear();
  };
  const handle = (req: IncomingMessage, res: ServerResponse): void => void answer(req, res);
  const server: Server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(made, {
    port,
    url: `${tls === undefined ? 'http' : 'https'}://${host}:${port}`,
  });
}
