/**
 * What would not be seen, or would rearrange or cover the rest: control and format characters (NUL,
 * terminal escapes, bidi overrides), what fonts draw nothing for (zero-width spaces, fillers,
 * tags), halves of surrogate pairs, more marks than any letter has. Not tab and line feed; nor the
 * joiners of scripts and emoji, and the selectors of an emoji's look, where they follow what they
 * are for.
 */
export const UNSEEN = new RegExp(
  [
    String.raw`[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}\u2800]--[\t\n\u200c\u200d\ufe0e\ufe0f]]`,
    String.raw`(?<![\p{M}\p{ExtPict}\p{EMod}[\p{L}--[\p{sc=Latn}\p{sc=Grek}\p{sc=Cyrl}]]])` +
      String.raw`[\u200c\u200d]`,
    String.raw`(?<!\p{Emoji})[\ufe0e\ufe0f]`,
    String.raw`(?<=\p{M}{6})\p{M}`,
  ].join('|'),
  'gv',
);

/** JSON text with nothing hidden in it, by its own escapes: what it says is the same. */
export const visibleJson = (json: string): string =>
  PLAIN_JSON.test(json)
    ? json
    : json.replace(UNSEEN, (char) =>
        Array.from({ length: char.length }, (_, i) => char.charCodeAt(i).toString(16))
          .map((unit) => `\\u${unit.padStart(4, '0')}`)
          .join(''),
      );

const PLAIN_JSON = /^[\t\n -~]*$/;
