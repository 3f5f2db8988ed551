import type { Reader } from './environment.ts';
import { isNear, KIND_TEXT, kindOf } from './observe/addresses.ts';

/** Who is told when a run has failed for good, and the like. */
export interface AlertConfig {
  /** It may hold a secret itself, as those of chats do: never logged, never shown. */
  readonly url: string;
  /** What the receiver knows us by; null for no signature. */
  readonly secret: string | null;
  /** Whether it may lead into a network of one's own. */
  readonly privateToo: boolean;
}

/** Reads where alerts go; null for nowhere. What is wrong goes to the reader's problems. */
export function readAlerts(read: Reader): AlertConfig | null {
  const url = read.secret('PUNCTUAL_ALERT_URL', /^https?:\/\/\S{1,2000}$/, RIGHT);
  const secret = read.secret('PUNCTUAL_ALERT_SECRET', /^[!-~]{16,200}$/, LONG);
  const privateToo = read.oneOf('PUNCTUAL_ALERT_PRIVATE', 'no', ['no', 'yes']) === 'yes';
  if (url === null) {
    if (secret !== null) {
      read.problems.push('PUNCTUAL_ALERT_SECRET is set, and needs PUNCTUAL_ALERT_URL');
    }
    return null;
  }
  const problem = problemOf(url, privateToo);
  if (problem !== undefined) read.problems.push(`PUNCTUAL_ALERT_URL ${problem}`);
  return { url, secret, privateToo };
}

const RIGHT = 'such as https://alerts.example.com/punctual';
const LONG = '16 to 200 letters, digits and signs without spaces, drawn at random';
const ALLOW = 'PUNCTUAL_ALERT_PRIVATE=yes allows that';

/** What is wrong with an address, without saying it. Names are looked up when it is used. */
function problemOf(text: string, privateToo: boolean): string | undefined {
  if (!URL.canParse(text)) return `is no URL; right would be ${RIGHT}`;
  const { protocol, username, password, hostname } = new URL(text);
  if (username !== '' || password !== '') return 'has a user or a password, which is not sent';
  if (protocol === 'http:' && !privateToo) {
    return `is http, which is for a private network only; ${ALLOW}`;
  }
  if (!/^\[|^[\d.]+$/.test(hostname)) return undefined;
  const kind = kindOf(hostname.replaceAll(/[[\]]/g, ''));
  if (isNear(kind) && !privateToo) return `leads to ${KIND_TEXT[kind]}; ${ALLOW}`;
  if (kind === 'public' && protocol === 'http:') {
    return 'is http and leads to a public address: right would be https';
  }
  return isNear(kind) || kind === 'public' ? undefined : `leads to ${KIND_TEXT[kind]}`;
}
