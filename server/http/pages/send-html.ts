import type { Response } from 'express';
import type { Html } from '../../../views/html.ts';
import { visitOf, type Visit } from '../visit.ts';

/** Sends a page, or a part of one. */
export function sendHtml(res: Response, content: Html): void {
  const markup = withForms(content.markup, visitOf(res.req));
  res.type('html').send(markup);
}

// Whatever is shown is escaped, so only our own templates can say so.
const FORM = /<form [^>]*method="post"[^>]*>/g;
const WHOLE_FORM = /<form [^>]*method="post"[^>]*>[\s\S]*?<\/form>/g;

/** Forms that change something: each bears its token, and who may change nothing sees none. */
function withForms(markup: string, visit: Visit): string {
  if (!markup.includes('method="post"')) return markup;
  if (visit.caller?.role !== 'viewer') return markup.replaceAll(FORM, (tag) => tag + field(visit));
  return markup.replaceAll(WHOLE_FORM, (form) =>
    form.includes('action="/logout"') ? form.replace(FORM, (tag) => tag + field(visit)) : '',
  );
}

const field = (visit: Visit): string => `<input type=hidden name=csrf value=${visit.formToken()}>`;
