import { expect, test } from 'vitest';
import { html } from '../../views/html.ts';

test('text is escaped in content and in quoted attributes', () => {
  const text = `<&>"'`;

  const { markup } = html`<p title="${text}">${text}</p>`;

  expect(markup).toBe('<p title="&lt;&amp;&gt;&quot;&#39;">&lt;&amp;&gt;&quot;&#39;</p>');
});

test('markup within markup and lists of it stay as they are', () => {
  const { markup } = html`<ul>${['a', 'b<'].map((item) => html`<li>${item}</li>`)}</ul>`;

  expect(markup).toBe('<ul><li>a</li><li>b&lt;</li></ul>');
});

test('null, undefined and false print nothing; zero and the empty string are printed', () => {
  expect(html`[${null}${undefined}${false}${0}${''}]`.markup).toBe('[0]');
});

test.each([
  ['NUL', '\0', '\\u0000'],
  ['escape', '\x1b[31m', '\\u001b[31m'],
  ['C1 control', '\x9b', '\\u009b'],
  ['right-to-left override', '\u202e', '\\u202e'],
  ['isolate', '\u2066', '\\u2066'],
  ['zero-width space', '\u200b', '\\u200b'],
  ['byte order mark', '\ufeff', '\\ufeff'],
  ['line separator', '\u2028', '\\u2028'],
  ['lone high surrogate', '\ud83d', '\\ud83d'],
  ['lone low surrogate', '\ude00x', '\\ude00x'],
  ['tag character', '\u{e0041}', '\\u{e0041}'],
  ['lone carriage return', 'a\rb', 'a\\u000db'],
  ['Hangul filler', 'a\u3164', 'a\\u3164'],
  ['blank of braille', '\u2800', '\\u2800'],
  ['selector of a look that nothing has', 'a\ufe0f', 'a\\ufe0f'],
  ['selector without a name', '文\u{e0100}', '文\\u{e0100}'],
  ['joiner within a Latin word', 'ad\u200dmin', 'ad\\u200dmin'],
  ['joiner behind another', '👩\u200d\u200d🚀', '👩\u200d\\u200d🚀'],
  ['seventh mark on a letter', `e${'\u0301'.repeat(7)}`, `e${'\u0301'.repeat(6)}\\u0301`],
])('%s is shown as an escape', (_name, text, expected) => {
  expect(html`${text}`.markup).toBe(expected);
});

test('line breaks, tabs, emoji with joiners and other scripts are shown as they are', () => {
  const text = 'a\tb\nc 👩‍🚀 🏳️‍🌈 1️⃣ 日本語 עִבְרִ֑ית نص می‌خواهم क्‍ष Tiê\u0301ng e\u0301';

  expect(html`${text}`.markup).toBe(text);
  expect(html`${'a\r\nb'}`.markup).toBe('a\nb');
});
