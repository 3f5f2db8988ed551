import { expect, test } from 'vitest';
import { lineOf } from '../../server/core/log-line.ts';
import { Scrubber } from '../../server/core/secrets/scrubber.ts';

const circle: Record<string, unknown> = {};
circle['again'] = circle;
const shy = (trap: keyof ProxyHandler<object>): unknown =>
  new Proxy(
    {},
    {
      [trap]: () => {
        throw new Error('leave me alone');
      },
    },
  );

test.each([
  ['text', 'text'],
  [{ n: 10n, why: new Error('no') }, '{"n":"10","why":"no"}'],
  [undefined, 'undefined'],
  [circle, 'something that is not JSON'],
  [shy('getPrototypeOf'), 'something that is not JSON'],
  [shy('ownKeys'), 'something that is not JSON'],
])('whatever a handler logs becomes a line, and never throws: %#', (text, line) => {
  const said = { level: 'info', text, fields: undefined } as const;

  expect(lineOf(said, 0, new Scrubber()).text).toBe(line);
});
