import type { ErrorRequestHandler, Request } from 'express';
import { html } from '../../../views/html.ts';
import { message, problemPage } from '../../../views/layout.ts';
import { assetPaths } from './assets.ts';
import { HttpError } from '../errors.ts';
import { sendHtml } from './send-html.ts';

export const isHtmx = (req: Request): boolean => req.get('HX-Request') === 'true';

/** Our own answers in words: as the message of a click, or as a page. Others are passed on. */
export const showProblem: ErrorRequestHandler = (error: unknown, req, res, next) => {
  if (!(error instanceof HttpError) || res.headersSent) return next(error);
  const { status, title, headers } = error;
  const detail = sentence(error.message);
  res.status(status).set(headers);
  const content = isHtmx(req)
    ? message('bad', html`<b>${title}.</b> ${detail}`)
    : problemPage({ title, detail, assets: assetPaths });
  sendHtml(res, content);
};

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
