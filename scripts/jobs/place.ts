import { isLoopbackAddress } from '../../server/config-access.ts';
import { BadUsage } from '../usage.ts';

/** A server, and what it is shown to know who asks. */
export interface Place {
  /** Without a slash at its end. */
  readonly url: string;
  /** Whether somebody said where it is; else it is this machine's own. */
  readonly isNamed: boolean;
  /** Null where there is none. */
  readonly token: string | null;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Whether somebody said which server is meant. */
export const isNamed = (env: Env): boolean => (env['PUNCTUAL_URL'] ?? '') !== '';

/**
 * The server that PUNCTUAL_URL names, or this machine's own at PORT, with PUNCTUAL_TOKEN. Throws
 * `BadUsage` where a token would cross a network in clear. It comes from the environment alone:
 * what stands among the words of a command everybody on the machine can read.
 */
export function placeOf(env: Env): Place {
  const url = isNamed(env) ? named(env['PUNCTUAL_URL'] ?? '') : own(env['PORT'] || '8080');
  const place = { url: url.href.replace(/\/+$/, ''), isNamed: isNamed(env), token: tokenIn(env) };
  const host = url.hostname.replaceAll(/[[\]]/g, '');
  if (place.token !== null && url.protocol === 'http:' && !isLoopbackAddress(host)) {
    throw new BadUsage(
      `PUNCTUAL_TOKEN is not sent to ${place.url}, since over http anybody on the way could read ` +
        'it: use https, or a tunnel to this machine ' +
        `(ssh -L 8080:127.0.0.1:${url.port || '80'} ${host}, and http://127.0.0.1:8080)`,
    );
  }
  return place;
}

function named(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const right = 'right would be such as https://punctual.example.com';
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new BadUsage(`PUNCTUAL_URL is "${text}"; ${right}`);
  }
  if (url.username + url.password !== '') {
    throw new BadUsage(
      `PUNCTUAL_URL has a user or a password, which no server here takes; ${right}`,
    );
  }
  if (url.search + url.hash !== '') {
    throw new BadUsage(`PUNCTUAL_URL is "${text}", which is more than an address; ${right}`);
  }
  return url;
}

function own(port: string): URL {
  const isPort = /^\d{1,5}$/.test(port) && Number(port) <= 65_535;
  if (!isPort)
    throw new BadUsage(`PORT is "${port}"; right would be a whole number from 0 to 65535`);
  return new URL(`http://127.0.0.1:${port}`);
}

/** What came from a file often has a line end behind it. */
function tokenIn(env: Env): string | null {
  const token = (env['PUNCTUAL_TOKEN'] ?? '').trim();
  if (/[^!-~]/.test(token)) throw new BadUsage('PUNCTUAL_TOKEN has a character that no token has');
  return token === '' ? null : token;
}
