import { html, type Html } from './html.ts';

/** A section with JSON text laid out to be read; nothing where there is none. */
export const jsonBlock = (title: string, text: string | null): Html | null =>
  text === null
    ? null
    : html`<section><h2>${title}</h2><pre tabindex="0">${pretty(text)}</pre></section>`;

/** Deeper than this, the indentation would be far longer than the text. */
const DEPTH_LIMIT = 40;

/** Indented; the text itself where it is too deep, or not JSON (a record edited by hand). */
function pretty(text: string): string {
  if (depthOf(text) > DEPTH_LIMIT) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** An upper bound: brackets within strings count as well. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const char of text) {
    if (char === '[' || char === '{') deepest = Math.max(deepest, ++depth);
    else if (char === ']' || char === '}') depth--;
  }
  return deepest;
}
