import { lookup as lookUp } from 'node:dns/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import { KIND_TEXT, kindOf, type AddressKind } from './addresses.ts';

// Imported as a module it brings along, at 20 ms, what `fetch` and web sockets are made of.
const http = process.getBuiltinModule('node:http');
const https = process.getBuiltinModule('node:https');

/** Every address that a name has. */
export type Resolve = (name: string) => Promise<readonly Address[]>;

interface Address {
  readonly address: string;
  readonly family: number;
}

export interface SafeRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The deadline of all of it: name, connection, answer. */
  readonly signal: AbortSignal;
  /** Whether to ask an address of this kind. All addresses of a name must be of kinds that may. */
  readonly may: (kind: AddressKind) => boolean;
  /** Who knows names; the machine, if not given. */
  readonly resolve?: Resolve | undefined;
  /** Whom to trust for TLS in place of Node's authorities, as PEM. For tests. */
  readonly ca?: string | undefined;
}

export interface SafeAnswer {
  readonly status: number;
  /** Where a redirect leads; it was not followed. */
  readonly location: string | undefined;
}

/** An address is not asked. Nothing has been sent. */
export class Refused extends Error {
  override readonly name = 'Refused';
  /** What it leads to; undefined where it was not even looked up. */
  readonly kind: AddressKind | undefined;

  constructor(message: string, kind?: AddressKind) {
    super(message);
    this.kind = kind;
  }
}

/** Of an answer's body no more than this is read, and none of it is kept. */
const BODY_LIMIT = 64 * 1024;
const HEAD_LIMIT = 16 * 1024;

/**
 * Asks an address that others may have chosen, which must not lead to what only this machine can
 * reach. The name is resolved once, all of its addresses are looked at, and the connection goes to
 * one of those: a name that means something else a moment later (DNS rebinding) changes nothing.
 * TLS still holds to the name. No redirect is followed, no proxy asked, no credentials are sent.
 * Rejects with `Refused` for an address that may not be asked, with the signal's reason, or with
 * what went wrong on the way.
 */
export async function safeFetch(url: URL, request: SafeRequest): Promise<SafeAnswer> {
  const { signal, may, resolve = resolveByMachine } = request;
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new Refused(`${url.protocol} is not asked: only https: and http: are`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new Refused(`an address with a user or password in it is not asked (${url.host})`);
  }
  signal.throwIfAborted();
  const name = nameOf(url);
  const known = isIP(name) === 0 ? await until(signal, resolve(name)) : [addressOf(name)];
  if (known.length === 0) throw new Error(`"${name}" has no address`);
  for (const { address } of known) {
    const kind = kindOf(address);
    if (may(kind)) continue;
    const leads = address === name ? `${address} is` : `"${name}" leads to ${address},`;
    throw new Refused(`${leads} ${KIND_TEXT[kind]}, and is not asked`, kind);
  }
  return await ask(url, { name, known }, request);
}

/** Without the brackets of IPv6, nor the dot at the end, which no certificate has. */
export const nameOf = ({ hostname }: URL): string =>
  hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');

const addressOf = (address: string): Address => ({ address, family: isIP(address) });

const resolveByMachine: Resolve = (name) => lookUp(name, { all: true });

/** What a promise comes to, unless the signal comes first. Nobody hears of it then. */
async function until<Value>(signal: AbortSignal, promise: Promise<Value>): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const give = (): void => late.reject(signal.reason);
  signal.addEventListener('abort', give, { once: true });
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    signal.removeEventListener('abort', give);
  }
}

interface Place {
  readonly name: string;
  readonly known: readonly Address[];
}

function ask(url: URL, { name, known }: Place, request: SafeRequest): Promise<SafeAnswer> {
  const { method, headers, body, signal, ca } = request;
  const options = {
    method,
    host: name,
    port: url.port === '' ? undefined : Number(url.port),
    path: url.pathname + url.search,
    headers: { ...headers, Host: url.host, Connection: 'close' },
    // A connection that somebody else keeps to the same name was not made to a checked address.
    agent: false as const,
    lookup: only(known),
    maxHeaderSize: HEAD_LIMIT,
  };
  const tls = { servername: isIP(name) === 0 ? name : '', rejectUnauthorized: true };
  const sent: ClientRequest =
    url.protocol === 'https:'
      ? https.request({ ...options, ...tls, ...(ca !== undefined && { ca }) })
      : http.request(options);
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    // An answer is known by its head; of the rest nothing is lost.
    const giveUp = (): void =>
      void (answer === undefined ? sent.destroy(asError(signal.reason)) : answer.destroy());
    signal.addEventListener('abort', giveUp, { once: true });
    sent.on('error', reject);
    sent.once('upgrade', (_answer, socket) => socket.destroy());
    sent.once('response', (got) => {
      answer = got;
      void readOut(got).then(resolve);
    });
    sent.once('close', () => {
      signal.removeEventListener('abort', giveUp);
      if (answer === undefined) reject(new Error('the connection ended without an answer'));
    });
    sent.end(body);
    if (signal.aborted) giveUp();
  });
}

const asError = (reason: unknown): Error =>
  reason instanceof Error ? reason : new Error(String(reason));

/** Gives to whoever connects the addresses that were looked at, whatever it asks for. */
const only =
  (known: readonly Address[]): LookupFunction =>
  (_name, { all }, done) => {
    if (all === true) return done(null, [...known]);
    const [{ address, family } = addressOf('')] = known;
    done(null, address, family);
  };

/** Reads what follows the head, up to its limit; what breaks off there changes nothing. */
async function readOut(answer: IncomingMessage): Promise<SafeAnswer> {
  const { statusCode: status = 0, headers } = answer;
  let bytes = 0;
  answer.on('error', () => undefined);
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > BODY_LIMIT) answer.destroy();
  });
  await new Promise<void>((resolve) => answer.once('close', resolve));
  return { status, location: headers.location };
}
