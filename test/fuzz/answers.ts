/** Answers as they come over a wire, read more strictly than any client would read them. */

export interface WireAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Names of all headers, in small letters, as often as they came. */
  readonly names: readonly string[];
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON, if it is an object. */
  readonly body: Record<string, any> | undefined;
}

interface Head {
  readonly status: number;
  readonly headers: Headers;
  readonly names: readonly string[];
}

/** How a body ends: by its length, by its last chunk, or with the connection. */
type Framing = { readonly length: number } | 'chunked' | 'close';

const HEAD_LIMIT = 64 * 1024;
const UNREAD = new Set([400, 408, 431]);
const NOTHING = Buffer.alloc(0);

/** Thrown for bytes that are no answer. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer';
}

/** Reads the answers of one connection, in the order of their requests. */
export class AnswerReader {
  #rest: Buffer = NOTHING;
  #head: Head | undefined;
  /** Methods of the requests that are not answered yet: what answers HEAD has no body. */
  readonly #methods: string[] = [];

  asked(method: string): void {
    this.#methods.push(method);
  }

  /** Whether part of an answer is here. */
  get isWithin(): boolean {
    return this.#head !== undefined || this.#rest.length > 0;
  }

  /** Gives the answers that are whole now. Throws `BadAnswer`. */
  push(chunk: Buffer): WireAnswer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const found: WireAnswer[] = [];
    for (;;) {
      const answer = this.#take(false);
      if (answer === undefined) return found;
      if (answer.status >= 200) found.push(answer);
    }
  }

  /** The connection is closed: gives what ends by that. Throws for what was cut off. */
  end(): WireAnswer | undefined {
    if (!this.isWithin) return undefined;
    const answer = this.#take(true);
    if (answer === undefined) throw new BadAnswer('the connection was closed within an answer');
    return answer;
  }

  #take(closed: boolean): WireAnswer | undefined {
    this.#head ??= this.#takeHead();
    const head = this.#head;
    if (head === undefined) return undefined;
    const interim = head.status < 200;
    const method = interim ? '' : (this.#methods[0] ?? 'GET');
    const framing = framingOf(head, method);
    const taken = takenBody(this.#rest, framing, closed);
    if (taken === undefined) return undefined;
    if (!interim) this.#methods.shift();
    this.#head = undefined;
    this.#rest = this.#rest.subarray(taken.length);
    const text = taken.content.toString();
    return { ...head, bytes: taken.content, text, body: parsed(text) };
  }

  #takeHead(): Head | undefined {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end < 0 && this.#rest.length > HEAD_LIMIT) throw new BadAnswer('its head does not end');
    if (end < 0) return undefined;
    const [line = '', ...lines] = this.#rest.subarray(0, end).toString('latin1').split('\r\n');
    this.#rest = this.#rest.subarray(end + 4);
    const status = /^HTTP\/1\.1 (\d{3}) [\x20-\x7e]*$/.exec(line)?.[1];
    if (status === undefined) throw new BadAnswer(`its first line is ${JSON.stringify(line)}`);
    const pairs = lines.map(pairOf);
    const headers = new Headers();
    for (const [name, value] of pairs) headers.append(name, value);
    return { status: Number(status), headers, names: pairs.map(([name]) => name.toLowerCase()) };
  }
}

function pairOf(line: string): [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+): ?([\x20-\x7e\x80-\xff\t]*)$/.exec(line) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  throw new BadAnswer(`it has the header line ${JSON.stringify(line.slice(0, 200))}`);
}

function framingOf({ status, headers, names }: Head, method: string): Framing {
  const framed = names.filter((name) => name === 'content-length' || name === 'transfer-encoding');
  if (framed.length > 1) throw new BadAnswer(`it says its length by ${framed.join(' and ')}`);
  if (status < 200 || status === 204 || status === 304) return { length: 0 };
  // Where its head could not be read nobody knows that it was a HEAD, and nothing comes after it.
  const isUnread = UNREAD.has(status) && headers.get('connection') === 'close';
  if (method === 'HEAD') return isUnread ? 'close' : { length: 0 };
  if (headers.has('transfer-encoding')) return 'chunked';
  const length = headers.get('content-length');
  if (length === null) return 'close';
  if (!/^\d{1,12}$/.test(length)) throw new BadAnswer(`its length is ${length}`);
  return { length: Number(length) };
}

interface Taken {
  readonly content: Buffer;
  /** How much of what came it was. */
  readonly length: number;
}

function takenBody(bytes: Buffer, framing: Framing, closed: boolean): Taken | undefined {
  if (framing === 'close') {
    return closed ? { content: bytes, length: bytes.length } : undefined;
  }
  if (framing === 'chunked') return unchunked(bytes);
  const { length } = framing;
  return bytes.length < length ? undefined : { content: bytes.subarray(0, length), length };
}

function unchunked(bytes: Buffer): Taken | undefined {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const line = bytes.subarray(at, lineEnd).toString('latin1');
    if (!/^[\da-f]{1,8}$/i.test(line)) throw new BadAnswer(`a chunk begins with ${line}`);
    const size = Number.parseInt(line, 16);
    const [start, end] = [lineEnd + 2, lineEnd + 2 + size];
    if (bytes.length < end + 2) return undefined;
    if (bytes.subarray(end, end + 2).toString() !== '\r\n')
      throw new BadAnswer('a chunk is longer');
    parts.push(bytes.subarray(start, end));
    at = end + 2;
    if (size === 0) return { content: Buffer.concat(parts), length: at };
  }
}

function parsed(text: string): WireAnswer['body'] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
