import type { RequestHandler } from 'express';
import { HttpError } from './errors.ts';

/**
 * Until identity is built, the service answers this machine only, whatever address it listens on.
 * A proxy on this machine would make everybody look local, so what came through one is refused; so
 * is a Host that is not this machine's, with which a web page could reach us by DNS rebinding.
 */
export const localOnly: RequestHandler = (req, _res, next) => {
  const address = req.socket.remoteAddress ?? '';
  const proxied = req.headers.forwarded ?? req.headers['x-forwarded-for'];
  if (!isLoopback(address) || proxied !== undefined || !isLocalHost(req.headers.host)) {
    const detail = 'no credentials are configured, so only this machine itself is answered';
    return next(new HttpError(403, 'Forbidden', detail));
  }
  next();
};

const isLoopback = (address: string): boolean =>
  address === '::1' || /^(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);

const isLocalHost = (host: string | undefined): boolean =>
  /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i.test(host ?? '');

/** A page of another site may not change anything here: browsers say where a request comes from. */
export const sameOrigin: RequestHandler = (req, _res, next) => {
  if (req.method === 'GET' || req.method === 'HEAD' || req.method === 'OPTIONS') return next();
  const site = req.headers['sec-fetch-site'];
  const { origin, host } = req.headers;
  const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
  const foreignOrigin = origin !== undefined && origin !== `http://${host}`;
  if (!foreignSite && !foreignOrigin) return next();
  next(
    new HttpError(403, 'Forbidden', 'a request that changes something must come from this site'),
  );
};
