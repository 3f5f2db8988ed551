import { isIP, isIPv6 } from 'node:net';
import type { Request } from 'express';
import type { GoogleConfig } from '../config.ts';

/**
 * Whether a request comes from this machine itself. A proxy on this machine would make everybody
 * look local, so what came through one does not; nor does what bears a header of App Engine's; nor
 * what names a Host that is not this machine's, with which a web page could reach us by DNS
 * rebinding.
 */
export function isOwnMachine(req: Request): boolean {
  const address = req.socket.remoteAddress ?? '';
  // nginx, told no more than where to, forwards under our own Host and without a word of itself,
  // but by a version that browsers and programs have long left.
  const isDirect = req.httpVersion === '1.1' && !Object.keys(req.headers).some(isThrough);
  return isLoopback(address) && isDirect && isLocalHost(req.headers.host);
}

const isThrough = (header: string): boolean =>
  /^(?:forwarded|x-forwarded.*|x-real-ip|cf-connecting-ip|via|x-appengine-.*)$/.test(header);

const isLoopback = (address: string): boolean =>
  address === '::1' || /^(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);

const isLocalHost = (host: string | undefined): boolean =>
  /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i.test(host ?? '');

/** Whether a request would change something. */
export const isChange = ({ method }: Request): boolean =>
  method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';

/**
 * Whether a page of another site asks: browsers say where a request comes from, by one header or by
 * two. `home` is the address that people know us by; null where it is what they ask for.
 */
export function isForeign(req: Request, home: string | null): boolean {
  const site = req.headers['sec-fetch-site'];
  const { origin, host } = req.headers;
  const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
  // Behind what ends TLS the scheme is not ours to know.
  const own = [`http://${host}`, `https://${host}`, home];
  return foreignSite || (origin !== undefined && !own.includes(origin));
}

/** Whether it says that it comes from a page of ours, as browsers say of each change. */
export const isNative = (req: Request): boolean =>
  req.headers.origin !== undefined || req.headers['sec-fetch-site'] === 'same-origin';

/**
 * Who sends a request, for limits alone: it is known for sure only at the last proxy. What one on
 * this machine says counts, too; who makes that up has still the limit of all together.
 */
export function addressOf(req: Request, platform: GoogleConfig['platform']): string {
  const peer = req.socket.remoteAddress ?? '';
  const user = req.headers['x-appengine-user-ip'];
  if (platform === 'app-engine' && typeof user === 'string') return networkOf(user);
  const isBehindProxy = platform === 'cloud-run' || isLoopback(peer);
  const forwarded = req.headersDistinct['x-forwarded-for']?.at(-1)?.split(',').at(-1)?.trim() ?? '';
  return networkOf(isBehindProxy && isIP(forwarded) !== 0 ? forwarded : peer);
}

/** Of an IPv6 address the half that is given to somebody: the other is theirs to choose. */
function networkOf(address: string): string {
  // What has dots is an IPv4 address.
  if (!isIPv6(address) || address.includes('.')) return address;
  const zeros = '0:'.repeat(9 - address.split(':').length);
  return address.replace('::', `:${zeros}`).split(':').slice(0, 4).join(':');
}
