import { request as overHttp, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as overHttps } from 'node:https';
import type { ClientRequest, IncomingMessage, Server } from 'node:http';
import { duplexPair } from 'node:stream';
import type { Place } from './place.ts';

/** A request as it goes out. */
export interface Sent {
  readonly method: string;
  /** With its query, from `/api/v1` on. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text; null for none. */
  readonly body: string | null;
  /** How long the answer may take, once there is a connection. */
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a request. Rejects with `NoAnswer` where none comes, or not whole. Follows no redirect. */
export type Send = (sent: Sent) => Promise<Reply>;

/** No answer came, which says nothing of what became of the request, unless nobody was reached. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  /** Whether there was a connection. */
  readonly reached: boolean;

  constructor(reached: boolean, cause: unknown) {
    super('no answer', { cause });
    this.reached = reached;
  }
}

/** A machine that is there answers sooner. */
const CONNECT_MS = 15_000;
/** The longest page of a log is some megabytes. */
const ANSWER_LIMIT = 64 * 1024 * 1024;

/** Sends to a server on the network. */
export function overNetwork({ url }: Place): Send {
  const request = url.startsWith('https:') ? overHttps : overHttp;
  return (sent) => exchange(sent, (options) => request(url + sent.path, options));
}

/** Sends to a server in this process, which listens nowhere: nobody else can ask it anything. */
export const inProcess =
  (server: Server): Send =>
  (sent) =>
    exchange(sent, (options) => {
      const [here, there] = duplexPair();
      server.emit('connection', there);
      return overHttp({ ...options, path: sent.path, createConnection: () => here });
    });

async function exchange(
  { method, headers, body, withinMs, signal }: Sent,
  open: (options: RequestOptions) => ClientRequest,
): Promise<Reply> {
  let reached = false;
  let timer: NodeJS.Timeout | undefined;
  try {
    const request = open({ method, headers, signal });
    const within = (ms: number, what: string): void => {
      clearTimeout(timer);
      timer = setTimeout(() => request.destroy(new Error(`${what} within ${ms / 1000} s`)), ms);
    };
    within(CONNECT_MS, 'no connection');
    const answered = answerOf(request, () => {
      reached = true;
      within(withinMs, 'no answer');
    });
    request.end(body ?? undefined);
    const answer = await answered;
    const text = await textOf(answer);
    return { status: answer.statusCode ?? 0, headers: answer.headers, text };
  } catch (error) {
    throw new NoAnswer(reached, error);
  } finally {
    clearTimeout(timer);
  }
}

const answerOf = (request: ClientRequest, onConnection: () => void): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    request.once('socket', (socket) => {
      if (!socket.connecting) return onConnection();
      const isSecure = 'encrypted' in socket;
      socket.once(isSecure ? 'secureConnect' : 'connect', onConnection);
    });
    request.once('response', resolve);
    request.on('error', reject);
  });

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer) {
    chunks.push(chunk);
    length += chunks.at(-1)?.length ?? 0;
    if (length > ANSWER_LIMIT) throw new Error(`the answer has over ${ANSWER_LIMIT} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}
