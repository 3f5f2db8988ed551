/** What is said by hand, as it is. Texts are Latin-1, one byte each. */

/** First lines that are none, or of something else. */
export const ODD_LINES: readonly string[] = [
  'GET / HTTP/0.9',
  'GET /',
  'GET / HTTP/1.2',
  'GET / HTTP/2.0',
  'GET / HTTP/11',
  'GET / http/1.1',

  'GET  /  HTTP/1.1',
  ' GET / HTTP/1.1',
  'GET\t/ HTTP/1.1',
  'GET / HTTP/1.1 x',
  'GET / a HTTP/1.1',

  'get / HTTP/1.1',
  'FOO / HTTP/1.1',
  'G\u00c9T / HTTP/1.1',
  '/ HTTP/1.1',
  'HTTP/1.1 200 OK',
  'GET //elsewhere.example/ HTTP/1.1',
  'GET http://elsewhere.example/ HTTP/1.1',
  'GET http://127.0.0.1/api/v1/jobs HTTP/1.1',
  'GET * HTTP/1.1',
  'OPTIONS * HTTP/1.1',

  'GET /\u0000 HTTP/1.1',
  'GET /\u0080\u00ff HTTP/1.1',
  'GET /a\u000bb HTTP/1.1',
  'GET ?a HTTP/1.1',

  'CONNECT 127.0.0.1:22 HTTP/1.1',
  'TRACE / HTTP/1.1',
  'GET \\\\host\\x HTTP/1.1',
  'GET /#x HTTP/1.1',
];

/** Lines of a head. */
export const ODD_HEADERS: readonly string[] = [
  'X',
  'X : a',
  ': a',
  ' X: a',
  'X:\u0000a',
  'X: a\u0000b',
  'X: a\rb',
  'X: a\nb',
  'X\u0000: a',

  'X: a\r\n b',
  'X: a\r\n\tb: c',
  'X: \u007f',
  'X: \u0001',
  '\u00e9: a',
  'Host: a\r\nHost: b',

  'Content-Length: 5\r\nContent-Length: 6',
  'Content-Length: -1',
  'Content-Length: +1',
  'Content-Length: 1e3',
  'Content-Length: 99999999999999999999',
  'Content-Length: 0x1',

  'Content-Length: 1, 1',
  'Content-Length:',
  'Transfer-Encoding: x',
  'Transfer-Encoding:chunked, x',

  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'Transfer-Encoding: \u000bchunked',

  'Content-Length: 3\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding : chunked',
  'TE: a',
  'Connection: close, close',
  `Cookie: ${'a'.repeat(20 * 1024)}`,
  'Expect: x',
  'Upgrade: x',
];

/** Bodies in chunks. */
export const ODD_CHUNKS: readonly string[] = [
  '2\r\n{}\r\n0\r\n\r\n',
  '0\r\n\r\n',
  '2;a=b\r\n{}\r\n0\r\n\r\n',
  '02\r\n{}\r\n0\r\nX: a\r\n\r\n',

  'x\r\n{}\r\n0\r\n\r\n',
  '-2\r\n{}\r\n0\r\n\r\n',
  '2\n{}\n0\n\n',
  '2\r\n{}x\r\n0\r\n\r\n',

  'FFFFFFFFFFFFFFFFF\r\n{}',
  '2 \r\n{}\r\n0\r\n\r\n',
  '1\r\n{\r\n1\r\n}\r\n0\r\n\r\n',
  '\r\n{}',
];

/** What comes from other protocols. */
export const ODD_STRANGE: readonly string[] = [
  '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
  'SSH-2.0-x\r\n',

  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\r\n\r\n\r\n',
  '\u0000'.repeat(1000),
  'EHLO a\r\n',
  '*1\r\n',

  'GET / HTTP/1.0\r\n\r\n',
  `GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`,
  '\n\n',
];
