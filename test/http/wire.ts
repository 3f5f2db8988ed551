import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** What came over a connection: answers one after the other, and whether it was closed. */
export interface Heard {
  readonly answers: readonly WireAnswer[];
  readonly closed: boolean;
  readonly text: string;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The body as JSON; undefined where it is none. */
  readonly body: Record<string, any> | undefined;
}

/** A connection that says what a test wants, and not what HTTP would have it say. */
export class Wire {
  readonly socket: Socket;
  #text = '';
  #closed = false;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text) => (this.#text += String(text)));
    this.socket.on('end', () => (this.#closed = true));
    this.socket.on('close', () => (this.#closed = true));
    this.socket.on('error', () => (this.#closed = true));
    onTestFinished(() => void this.socket.destroy());
  }

  say(text: string | Uint8Array): this {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
    return this;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get heard(): Heard {
    return { answers: answersIn(this.#text), closed: this.#closed, text: this.#text };
  }

  /** Waits until it has been answered so many times, or was closed. */
  async answers(count: number): Promise<Heard> {
    return await this.until(({ answers }) => answers.length >= count);
  }

  /** Waits until it was closed. */
  async end(): Promise<Heard> {
    return await this.until(() => false);
  }

  async until(enough: (heard: Heard) => boolean): Promise<Heard> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      // Whoever was held up looks once more: an answer may have come meanwhile.
      const isLast = Date.now() > deadline;
      const { heard } = this;
      if (enough(heard) || heard.closed) return heard;
      if (isLast) throw new Error(`nothing more came after: ${heard.text.slice(-1000)}`);
      await pause(5);
    }
  }
}

/** Says one thing and listens until it was answered. */
export const tell = async (url: string, text: string | Uint8Array): Promise<WireAnswer> =>
  first(await new Wire(url).say(text).answers(1));

export function first({ answers, text }: Heard): WireAnswer {
  const [answer] = answers;
  if (answer === undefined) throw new Error(`closed without an answer: "${text.slice(-1000)}"`);
  return answer;
}

/** A request's text, with the headers that it can't do without. */
export function request(
  line: string,
  headers: Readonly<Record<string, string | number>> = {},
  body = '',
): string {
  const all = { Host: 'localhost', Accept: 'application/json', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

/** A request with a body of JSON, of its true length unless told otherwise. */
export const post = (
  path: string,
  body: string,
  headers: Readonly<Record<string, string | number>> = {},
): string =>
  request(
    `POST ${path}`,
    { 'Content-Type': 'application/json', 'Content-Length': body.length, ...headers },
    body,
  );

/** Only whole answers count. */
function answersIn(text: string): WireAnswer[] {
  const found: WireAnswer[] = [];
  let rest = text;
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd < 0) return found;
    const [line = '', ...lines] = rest.slice(0, headEnd).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((one) => [
        one.slice(0, one.indexOf(':')).toLowerCase(),
        one.slice(one.indexOf(':') + 1).trim(),
      ]),
    );
    const status = Number(line.split(' ')[1]);
    const body = rest.slice(headEnd + 4);
    const taken =
      headers['transfer-encoding'] === 'chunked'
        ? unchunked(body)
        : counted(body, status < 200 ? 0 : Number(headers['content-length'] ?? 0));
    if (taken === undefined) return found;
    rest = body.slice(taken.length);
    found.push({ status, headers, text: taken.content, body: parsed(taken.content) });
  }
}

interface Taken {
  readonly content: string;
  /** How much of what came it was. */
  readonly length: number;
}

const counted = (text: string, length: number): Taken | undefined =>
  text.length < length ? undefined : { content: text.slice(0, length), length };

function unchunked(text: string): Taken | undefined {
  let content = '';
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    at = lineEnd + 2 + size + 2;
    if (lineEnd < 0 || at > text.length) return undefined;
    content += text.slice(at - size - 2, at - 2);
    if (size === 0) return { content, length: at };
  }
}

function parsed(text: string): WireAnswer['body'] {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
