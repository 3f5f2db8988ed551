import { UNSEEN } from '../server/core/unseen.ts';

/**
 * Markup that may go to a browser as it is. Only `html` makes it, so everything in it is escaped.
 */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }

  toString(): string {
    return this.markup;
  }
}

/** What a template takes: text and numbers are escaped, markup is kept, lists are joined. */
export type Printable = Html | string | number | false | null | undefined | readonly Printable[];

/**
 * A template that escapes whatever it is given, in text and in quoted attributes alike; an
 * attribute without quotes is a bug. `null`, `undefined` and `false` print nothing, so `${cond &&
 * html`…`}` reads well.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Printable[]): Html {
  let markup = parts[0] ?? '';
  for (const [index, value] of values.entries()) markup += print(value) + (parts[index + 1] ?? '');
  return new Html(markup);
}

function print(value: Printable): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Html) return value.markup;
  if (typeof value === 'string') return escape(value);
  if (typeof value === 'number') return String(value);
  return value.map(print).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escape = (text: string): string =>
  PLAIN.test(text) ? text : visible(text).replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);

/** Printable ASCII but for what has to be escaped: nearly all that is ever printed. */
const PLAIN = /^[ !#-%(-;=?-~]*$/;

/**
 * Text with nothing hidden in it: what would not be seen, or would rearrange the rest, is spelt
 * out.
 */
export const visible = (text: string): string =>
  PLAIN.test(text)
    ? text
    : text.replaceAll('\r\n', '\n').replace(UNSEEN, (char) => {
        const code = (char.codePointAt(0) ?? 0).toString(16);
        return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
      });

/** Text as one part of a path. */
export const pathPart = (text: string): string => encodeURIComponent(text.toWellFormed());
