import type { Response } from 'express';
import type { Html } from '../../../views/html.ts';

/** Sends a page, or a part of one; none is kept, since it shows what is so now. */
export function sendHtml(res: Response, content: Html): void {
  res.set('Cache-Control', 'no-store').type('html').send(content.markup);
}
