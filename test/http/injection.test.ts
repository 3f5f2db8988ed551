import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JobContext } from '../../server/core/job.ts';
import { fileName } from '../../server/http/pages/log-file.ts';
import { RULES } from '../../server/http/rules.ts';
import { makeLog } from '../../server/observe/log.ts';
import { ScratchRoot } from '../../server/process/scratch.ts';
import { tempFolder } from '../process/server.ts';
import { byHand } from '../service.ts';
import { serve } from './client.ts';
import { form } from './forms.ts';
import { request, tell, Wire } from './wire.ts';

/** Whatever somebody puts into a name, a key or a text: it makes no header, no line and no path. */

const RUNS = '/api/v1/jobs/job/runs';
const EVIL = 'X-Evil';
const NASTY = [
  `a\r\n${EVIL}: 1`,
  `a\r\n\r\n<script>alert(1)</script>`,
  `a\n${EVIL}: 1`,
  `a\r${EVIL}: 1`,
  'a\0b',
  'a\u2028b\u0085c',
  '\u001b]0;title\u0007\u009b31m',
  'é漢😀',
  '\ud800',
  '"; filename="evil.html',
  '../../../../etc/passwd',
  '//evil.example/\\evil.example',
  'javascript:alert(1)',
  '%0d%0a%250d',
];
const HTML = { headers: { Accept: 'text/html' } };
const HTMX = { headers: { Accept: 'text/html', 'HX-Request': 'true' } };
const said = byHand({ run: ({ log }: JobContext) => log('said') });

/** A path with a text in each of its parts that may vary. */
const filled = (path: string, text: string, id: string): string =>
  path
    .replace(/\/jobs\/:name/, '/jobs/job')
    .replace(/\/runs\/:id/, `/runs/${encodeURIComponent(id)}`)
    .replaceAll(/:\w+/g, encoded(text));
const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());

describe('a text with line ends, NULs or worse', () => {
  test.each([
    ['the name of a job', (text: string) => `/api/v1/jobs/${text}`, 400],
    ['the name on a page', (text: string) => `/jobs/${text}`, 404],
    ['the id of a run', (text: string) => `/api/v1/runs/${text}`, 400],
    ['the id on a page', (text: string) => `/runs/${text}`, 400],
    ['a file’s run', (text: string) => `/runs/${text}/log.txt`, 400],
    ['a state', (text: string) => `/api/v1/runs?state=${text}`, 400],
    ['a cursor', (text: string) => `/api/v1/runs?cursor=${text}`, 400],
    ['an asset', (text: string) => `/assets/${text}`, 404],
    ['a path', (text: string) => `/${text}`, 404],
  ])('as %s is refused in words', async (_what, path, status) => {
    const { ask } = await serve([said]);

    for (const text of NASTY) {
      const answer = await ask('GET', path(encoded(text)), {
        headers: { Accept: 'application/json' },
      });

      expect([text, answer.status]).toEqual([text, status]);
      expect(answer.headers.has(EVIL)).toBe(false);
    }
  });

  test('as a key is refused: what can not be a header’s value, and what should not', async () => {
    const { service, url } = await serve([said]);

    const statuses = [];
    for (const text of [...NASTY, 'tab\tin it', 'caf\xe9', '']) {
      const sent = Buffer.from(text.toWellFormed(), 'latin1').toString('latin1');
      // The rest of a line that was broken is a header of its own, as anybody may send any.
      const headers = { 'Idempotency-Key': sent, 'Content-Length': 0 };
      if (/[\r\n]/.test(sent)) continue;
      statuses.push([text, (await tell(url, request(`POST ${RUNS}`, headers))).status]);
    }

    const printable = NASTY.filter((text) => /^[\x20-\x7e]+$/.test(text));
    const refused = statuses.filter(([text]) => !printable.includes(String(text)));
    expect(refused.length).toBeGreaterThan(5);
    expect(refused.filter(([, status]) => status !== 400)).toEqual([]);
    expect(await service.runs()).toHaveLength(1);
  });

  test('is nothing that an answer’s headers choke on, wherever it is sent', async () => {
    const { service, ask } = await serve([said]);
    const { body } = await ask('POST', RUNS);
    await service.settle();
    const id = String(body?.['id']);
    const fields = ['name', 'key', 'note', 'by', 'until', 'json', 'from', 'to', 'text', 'level'];
    const more = ['schedule', 'timeZone', 'state', 'job', 'cursor', 'before', 'after', 'next'];
    const pages = RULES.filter(({ surface }) => surface === 'pages' || surface === 'api');

    const choked: unknown[] = [];
    const look = async (method: string, path: string, init: RequestInit): Promise<void> => {
      const { status, headers } = await ask(method, path, { redirect: 'manual', ...init });
      if (status >= 500 || headers.has(EVIL)) choked.push([method, path, status]);
    };
    let turn = 0;
    const next = (): string => NASTY[turn++ % NASTY.length] ?? '';
    for (const { method, path } of pages) {
      for (const text of NASTY) {
        const init = form(Object.fromEntries(fields.map((field) => [field, text])));
        await look(method, filled(path, text, id), method === 'GET' ? HTMX : init);
      }
      for (const field of method === 'GET' ? [...fields, ...more] : []) {
        await look(method, `${filled(path, 'x', id)}?${field}=${encoded(next())}`, HTML);
      }
      for (const field of method === 'GET' ? [] : fields) {
        await look(method, filled(path, 'x', id), form({ [field]: next() }));
      }
    }

    expect(choked).toEqual([]);
    expect(service.logged.filter((line) => line.startsWith('error'))).toEqual([]);
  }, 60_000);

  test('in any header makes no header of an answer', async () => {
    const { service, url } = await serve([said]);
    const names = ['traceparent', 'Prefer', 'Referer', 'User-Agent', 'Accept', 'Cookie'];
    const others = ['HX-Current-URL', 'HX-Target', 'HX-PTag', 'If-None-Match', 'Accept-Language'];
    const sendable = fc.string({
      unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
    });

    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names, ...others), sendable, async (name, value) => {
        const text = value.replaceAll('\x7f', '');
        const asked = request('GET /jobs/job', { Accept: 'text/html', [name]: text });
        const { status } = await tell(url, asked);

        expect(status).toBeLessThan(500);
      }),
      { numRuns: 100 },
    );
    expect(service.logged.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  test('as the id of a run makes no other name of a file', () => {
    for (const text of NASTY) {
      expect(fileName(text, 'log.txt')).toMatch(/^[A-Za-z0-9.-]+\.log\.txt$/);
    }
  });

  test('a run’s log is saved under a name that has nothing to escape', async () => {
    const { service, ask } = await serve([said]);
    const { body } = await ask('POST', RUNS, { headers: { 'Idempotency-Key': '"; x="../a' } });
    await service.settle();

    const { headers } = await ask('GET', `/runs/${encodeURIComponent(body?.['id'])}/log.txt`);

    expect(headers.get('content-disposition')).toMatch(
      /^attachment; filename="[\w.-]+\.log\.txt"$/,
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('one event of the log stays one line', () => {
  const lines: string[] = [];
  const logs = [true, false].map((person) =>
    makeLog('info', { person, write: (line) => lines.push(line) }),
  );
  /** What ends a line, for whoever shows the log, or is more than a letter to a terminal. */
  const OBEYED = /[\r\v\f\0\u0085\u2028\u2029\u009b\u007f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/;
  const BARE_ESCAPE = new RegExp(String.raw`\x1b(?!\[\d{1,2}m)`);

  test('whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'binary' }), fc.string()),
        fc.string({ unit: 'binary' }),
        (text, error) => {
          lines.length = 0;
          for (const log of logs) log('warn', 'request_refused', { path: text, error: { error } });

          for (const line of lines) {
            expect(line.split('\n')).toEqual([expect.any(String), '']);
            expect(line).not.toMatch(OBEYED);
            expect(line).not.toMatch(BARE_ESCAPE);
          }
          expect(JSON.parse(lines[1] ?? '')).toMatchObject({
            message: 'request_refused',
            path: JSON.parse(JSON.stringify(text)),
            error: { error },
          });
        },
      ),
      { numRuns: 500 },
    );
  });

  test('in order, with bidi overrides and terminal escapes spelt out', () => {
    lines.length = 0;
    for (const log of logs)
      log('info', 'event', { text: 'a\r\nb\u202e\u2028\u009b1m\u001b[2J\u{e0041}' });

    for (const line of lines) {
      expect(line).toContain('"a\\r\\nb\\u202e\\u2028\\u009b1m\\u001b[2J\\udb40\\udc41"');
    }
  });
});

describe('a path that leads elsewhere', () => {
  const OUT = [
    '..',
    '%2e%2e',
    '..%2f..',
    '%2e%2e%2f%2e%2e',
    '..\\..',
    '..%5c..',
    '....//..',
    '.%00.',
  ];
  const secret = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

  test.each([
    '/assets/*/package.json',
    '/assets/*/*/package.json',
    '/assets/*/views/assets/app.css',
    '/assets/*/server/start.js',
    '/assets//*/etc/passwd',
    '/assets/app.css/*/app.css',
    '/assets/%2fetc%2fpasswd/*',
    '/runs/*/log.txt',
    '/runs/*/etc/passwd',
    '/runs/*%2fetc%2fpasswd/log.ndjson',
    '/api/v1/runs/*%2fetc%2fpasswd/log',
    '/api/v1/jobs/*/package.json',
    '/*/package.json',
  ])('%s finds nothing', async (path) => {
    const { url } = await serve([said]);

    for (const out of OUT) {
      const answer = await tell(url, request(`GET ${path.replaceAll('*', out)}`));

      expect([out, [400, 404].includes(answer.status)]).toEqual([out, true]);
      expect(answer.text).not.toContain(secret.description);
      expect(answer.text).not.toMatch(/root:|import |font-family/);
    }
  });

  test('and back is not followed: a path is taken as it is written', async () => {
    const { url } = await serve([said]);

    const there = await new Wire(url).say(request('GET /assets/../healthz')).answers(1);

    expect(there.answers.map(({ status }) => status)).toEqual([404]);
  });

  test('as a link in the folder that attempts work in is taken away, and what it leads to is not', async () => {
    const [outside, root] = [tempFolder(), tempFolder()];
    writeFileSync(join(outside, 'kept'), 'x');
    // As a process that is no more has left them.
    symlinkSync(outside, join(root, '999999999-1'));
    mkdirSync(join(root, '999999998-1', 'attempt'), { recursive: true });
    symlinkSync(outside, join(root, '999999998-1', 'attempt', 'link'));

    await new ScratchRoot(() => undefined, root).sweep();

    expect([readdirSync(root), readdirSync(outside)]).toEqual([[], ['kept']]);
  });
});
