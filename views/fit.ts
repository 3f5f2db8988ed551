import { html } from './html.ts';

/**
 * The beginning of a text that takes at most so many bytes of a page, and whether that is all of
 * it. What is escaped takes up to six times its room.
 */
export function fit(
  text: string,
  bytes: number,
): { readonly text: string; readonly whole: boolean } {
  let kept = text.slice(0, bytes);
  for (let size = bytesOf(kept); size > bytes; size = bytesOf(kept)) {
    kept = kept.slice(0, Math.floor((kept.length * bytes) / size));
  }
  const whole = kept.length === text.length;
  return { text: whole ? text : wholeText(kept), whole };
}

/** The same as text that says by its end when it is not all. */
export function fitted(text: string, bytes: number): string {
  const kept = fit(text, bytes);
  return kept.whole ? kept.text : `${kept.text}…`;
}

/** The same by its length, where that is what there is room for. */
export const brief = (text: string, most: number): string =>
  text.length <= most ? text : `${wholeText(text.slice(0, most)).trimEnd()}…`;

/** Half of a character would be shown as what it is made of. */
const wholeText = (text: string): string => text.replace(/[\ud800-\udbff]$/, '');

/** How many bytes a text takes up in a page. */
export const bytesOf = (text: string): number => Buffer.byteLength(html`${text}`.markup);
