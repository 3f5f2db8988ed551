/** What must never come to life, and what must never be seen: found wherever it turns up. */

/** In every text that would do something on a page if it were not escaped. */
export const LIVE = 'fz7';
/** Only in inputs that their schema marks as secret. */
export const SECRET = 'hushfz7';
/** What the job has in its tags that a caller who is limited to others must not see. */
export const NOT_YOURS = 'notyoursfz7';

/** Texts that were markup, script or a terminal's command somewhere, if nobody looked. */
export const LIVELY: readonly string[] = [
  `<script>${LIVE}()</script>`,
  `"><img src=${LIVE} onerror=${LIVE}()>`,
  `' onfocus=${LIVE}() x='`,
  `</textarea></title></style><${LIVE}-x>`,
  `<svg onload=${LIVE}()>`,
  `javascript:${LIVE}()`,
  `<!--><${LIVE}-x -->`,
  `{{${LIVE}}} \${${LIVE}} <%= ${LIVE} %>`,
  `\u001b]0;${LIVE}\u0007\u001b[2J`,
  `\u202e${LIVE}\u2066<${LIVE}-x>`,
  `a\r\nSet-Cookie: ${LIVE}=1\r\n\r\n<${LIVE}-x>`,
  `${LIVE}\u0000<${LIVE}-x>`,
];
