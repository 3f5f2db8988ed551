/** A name and a value, as a query or the head of a request has them. */
export type Pair = readonly [name: string, value: string];

/**
 * A request before it is sent. Its texts stand for bytes, one character each (Latin-1), so that it
 * can be anything that fits HTTP's frame, and much that no program would send.
 */
export interface Draft {
  /** Which route it is meant for: `POST /api/v1/jobs/{name}/runs`. */
  readonly what: string;
  readonly method: string;
  /** Encoded, without the query. */
  readonly path: string;
  readonly query: readonly Pair[];
  /** The names that its route knows in a query. */
  readonly known: readonly string[];
  readonly headers: readonly Pair[];
  /** What its body is as JSON; undefined for none. */
  readonly json: unknown;
  /** The body itself, in place of that. */
  readonly body: Buffer | null;
  /** What was done to it since it was right. */
  readonly done: readonly string[];
  /** Parts of the address that were filled in, by name. */
  readonly params: Readonly<Record<string, string>>;
}

export const draft = (what: string, method: string, path: string): Draft => ({
  what,
  method,
  path,
  query: [],
  known: [],
  headers: [],
  json: undefined,
  body: null,
  done: [],
  params: {},
});

/** A text as the bytes of its UTF-8. Half a surrogate pair becomes what careless encoders make. */
export function bytesOf(text: string): string {
  const halves = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
  let [made, from] = ['', 0];
  for (const { 0: half, index } of text.matchAll(halves)) {
    const code = half.charCodeAt(0);
    const bytes = [0xed, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)];
    made += utf8(text.slice(from, index)) + String.fromCharCode(...bytes);
    from = index + 1;
  }
  return made + utf8(text.slice(from));
}

const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

/** A text as one part of an address, with all encoded that has a meaning there. */
export const encoded = (text: string): string =>
  bytesOf(text).replaceAll(
    /[^\w.~-]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );

export const queryText = (query: readonly Pair[]): string =>
  query.length === 0 ? '' : `?${query.map(([name, value]) => `${name}=${value}`).join('&')}`;

export const targetOf = ({ path, query }: Draft): string => path + queryText(query);

export const bodyOf = ({ body, json }: Draft): Buffer | null =>
  body ?? (json === undefined ? null : Buffer.from(JSON.stringify(json)));

export const valuesOf = ({ headers }: Pick<Draft, 'headers'>, name: string): readonly string[] =>
  headers.filter(([one]) => one.toLowerCase() === name.toLowerCase()).map(([, value]) => value);

/** The same with one header more, in place of those of its name. */
export const withHeader = (one: Draft, ...[name, value]: Pair): Draft => ({
  ...one,
  headers: [
    ...one.headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase()),
    [name, value],
  ],
});

/** All headers, with those that HTTP can't do without where the draft says nothing of them. */
export function headersOf(one: Draft, host: string): readonly Pair[] {
  const body = bodyOf(one);
  const has = (name: string): boolean => valuesOf(one, name).length > 0;
  const own: Pair[] = has('Host') ? [] : [['Host', host]];
  if (one.json !== undefined && !has('Content-Type')) own.push(['Content-Type', JSON_TYPE]);
  const isFramed = has('Content-Length') || has('Transfer-Encoding');
  const needsLength = body !== null || ['POST', 'PUT', 'PATCH'].includes(one.method);
  if (needsLength && !isFramed) own.push(['Content-Length', String(body?.length ?? 0)]);
  return [...own, ...one.headers];
}

const JSON_TYPE = 'application/json';

/** As it goes over the wire. */
export function wireOf(one: Draft, host: string): Buffer {
  const lines = headersOf(one, host).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${one.method} ${targetOf(one)} HTTP/1.1\r\n${lines.join('')}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), bodyOf(one) ?? Buffer.alloc(0)]);
}

/** As somebody sends it again from a shell. */
export function shellOf(bytes: Buffer, port: number): string {
  const shown = bytes.subarray(0, SHOWN).toString('latin1');
  // What is long because one sign stands there again and again is told by how often it does.
  const parts = [...shown.matchAll(/([^])\1{79,}|(?:(?!([^])\2{79,})[^])+/g)].map(([part, sign]) =>
    sign === undefined
      ? `printf '%b' '${part.replaceAll(/[^]/g, escaped)}'`
      : `printf '%${part.length}s' | tr ' ' '${escaped(sign).replace('\\0', '\\')}'`,
  );
  const rest = bytes.length > SHOWN ? ` # and ${bytes.length - SHOWN} bytes more` : '';
  return `{ ${parts.join('; ')}; } | timeout 20 nc 127.0.0.1 ${port}${rest}`;
}

const SHOWN = 250 * 1024;

/** For `printf '%b'`, which takes octal digits behind a zero. */
function escaped(sign: string): string {
  const code = sign.charCodeAt(0);
  if (sign === '\r') return '\\r';
  if (sign === '\n') return '\\n';
  const plain = code >= 0x20 && code < 0x7f && sign !== "'" && sign !== '\\';
  return plain ? sign : `\\0${code.toString(8).padStart(3, '0')}`;
}
