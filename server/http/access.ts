import type { Request, RequestHandler } from 'express';
import { HttpError } from './errors.ts';

/** Until identity is built, the service answers this machine only, whatever it listens on. */
export const localOnly: RequestHandler = (req, _res, next) => {
  if (isOwnMachine(req)) return next();
  const detail = 'no credentials are configured, so only this machine itself is answered';
  next(new HttpError(403, 'Forbidden', detail));
};

/**
 * Whether a request comes from this machine itself. A proxy on this machine would make everybody
 * look local, so what came through one does not; nor does what names a Host that is not this
 * machine's, with which a web page could reach us by DNS rebinding.
 */
export function isOwnMachine(req: Request): boolean {
  const address = req.socket.remoteAddress ?? '';
  const proxied = req.headers.forwarded ?? req.headers['x-forwarded-for'];
  return isLoopback(address) && proxied === undefined && isLocalHost(req.headers.host);
}

const isLoopback = (address: string): boolean =>
  address === '::1' || /^(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);

const isLocalHost = (host: string | undefined): boolean =>
  /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i.test(host ?? '');

/** A page of another site may not change anything here. */
export const sameOrigin: RequestHandler = (req, _res, next) => {
  if (!isForeign(req)) return next();
  next(
    new HttpError(403, 'Forbidden', 'a request that changes something must come from this site'),
  );
};

/** Whether a page of another site asks for a change: browsers say where a request comes from. */
export function isForeign(req: Request): boolean {
  if (req.method === 'GET' || req.method === 'HEAD' || req.method === 'OPTIONS') return false;
  const site = req.headers['sec-fetch-site'];
  const { origin, host } = req.headers;
  const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
  const foreignOrigin = origin !== undefined && origin !== `http://${host}`;
  return foreignSite || foreignOrigin;
}
