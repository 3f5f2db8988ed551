import type { ErrorRequestHandler } from 'express';
import { withQuery } from '../../../views/urls.ts';
import type { AccessConfig } from '../../config-access.ts';
import { HttpError } from '../errors.ts';
import { nextOf, showLogin } from './login.ts';
import { isHtmx, showProblem } from './problem-page.ts';

/**
 * What somebody with a browser gets who was refused before any page was reached: words on a page,
 * or the page where one signs in, in place of what was asked for. Programs get problem details.
 */
export const refusedPage =
  ({ modes }: Pick<AccessConfig, 'modes'>): ErrorRequestHandler =>
  (error: unknown, req, res, next): void => {
    const isPerson = isHtmx(req) || req.accepts(['json', 'html']) === 'html';
    if (!(error instanceof HttpError) || res.headersSent || !isPerson) return next(error);
    const mustSignIn =
      error.status === 401 && modes.includes('tokens') && req.headers.authorization === undefined;
    if (!mustSignIn) return void showProblem(error, req, res, next);
    const from = isHtmx(req) ? URL.parse(req.get('HX-Current-URL') ?? '') : null;
    const wanted = from === null ? req.originalUrl : from.pathname + from.search;
    const isLook = req.method === 'GET' || isHtmx(req);
    const goOn = nextOf(isLook ? wanted : '/');
    res.status(401).set(error.headers);
    if (isHtmx(req)) res.set('HX-Redirect', withQuery('/login', { next: goOn })).end();
    else showLogin(res, { next: goOn, wrong: null });
  };
