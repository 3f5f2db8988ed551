import { fit } from './fit.ts';
import { html, type Html } from './html.ts';

export interface JsonShown {
  /** So many bytes of the page at most. */
  readonly bytes: number;
  /** Where all of it can be had; null for nowhere. */
  readonly download: string | null;
}

/** A section with JSON text laid out to be read; nothing where there is none. */
export function jsonBlock(
  title: string,
  text: string | null,
  { bytes, download }: JsonShown,
): Html | null {
  if (text === null) return null;
  const shown = fit(pretty(text), bytes);
  return html`<section>
    <div class="head"><h2>${title}</h2>${
      download !== null && html`<p class="none"><a href="${download}" download>Download</a></p>`
    }</div>
    <pre tabindex="0" role="region" aria-label="${title}">${shown.text}${!shown.whole && '…'}</pre>
    ${!shown.whole && html`<p class="none">The rest is left out here.</p>`}
  </section>`;
}

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
