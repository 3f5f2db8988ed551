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
  for (let size = sizeOf(kept); size > bytes; size = sizeOf(kept)) {
    kept = kept.slice(0, Math.floor((kept.length * bytes) / size));
  }
  const whole = kept.length === text.length;
  // Half of a character would be shown as what it is made of.
  return { text: whole ? text : kept.replace(/[\ud800-\udbff]$/, ''), whole };
}

/** The same as text that says by its end when it is not all. */
export function fitted(text: string, bytes: number): string {
  const kept = fit(text, bytes);
  return kept.whole ? kept.text : `${kept.text}…`;
}

const sizeOf = (text: string): number => Buffer.byteLength(html`${text}`.markup);
