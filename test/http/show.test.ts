import { describe, expect, test } from 'vitest';
import { job } from '../service.ts';
import { serve } from './client.ts';

/** What holds for every page, with the system page and the list of jobs as examples. */

const HTMX = { headers: { 'HX-Request': 'true' } };

describe('a page', () => {
  test('tells in its footer what it read, and how often it looks again', async () => {
    const { ask } = await serve([job({ name: 'a' }), job({ name: 'b' })]);

    const { text } = await ask('GET', '/');

    expect(text.replaceAll(/\s+/g, ' ')).toMatch(
      /<footer id="footer" class="foot"><p>1 store read, 2 records, \d+ ms · as of <time/,
    );
    expect(text).toContain('looks again every 3 s while in sight');
    expect(text).toMatch(/data-poll="3"/);
  });

  test('marks where one is, for eyes and ears', async () => {
    const { ask } = await serve([job({})]);

    const { text } = await ask('GET', '/system');

    expect(text.match(/aria-current="page"/g)).toHaveLength(1);
    expect(text).toContain('<a href="/system" aria-current="page">System</a>');
  });

  test('sends htmx what stands in it, and a browser that goes back the whole page', async () => {
    const { ask } = await serve([job({})]);

    const part = await ask('GET', '/', HTMX);
    const back = await ask('GET', '/', {
      headers: { ...HTMX.headers, 'HX-History-Restore-Request': 'true' },
    });

    expect(part.text).not.toContain('<!doctype html>');
    expect(part.text).toContain('id="job-job"');
    expect(part.text).toContain('hx-target="#footer"');
    expect(part.headers.get('vary')).toContain('HX-Request');
    expect(back.text).toMatch(/^<!doctype html>/);
  });

  test('is not sent again to a poll that has it, until something changes', async () => {
    const { service, ask } = await serve([job({})]);
    const poll = (tag: string) => ask('GET', '/', { headers: { ...HTMX.headers, 'HX-PTag': tag } });

    const first = await poll('none');
    await service.clock.advance(20_000);
    const same = await poll(first.headers.get('hx-ptag') ?? '');
    await service.wake('00:01:00');
    const changed = await poll(first.headers.get('hx-ptag') ?? '');

    expect([first.status, same.status, changed.status]).toEqual([200, 304, 200]);
    expect(same.text).toBe('');
    expect(changed.text).toContain('succeeded');
  });

  test('has a strict policy for what it may load, with no exceptions', async () => {
    const { ask } = await serve([job({})]);

    for (const path of ['/', '/system', '/schedule', '/nowhere']) {
      const policy = (await ask('GET', path)).headers.get('content-security-policy') ?? '';

      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain('unsafe');
    }
  });
});

test('what pages load is kept for good, under an address that its contents make', async () => {
  const { ask } = await serve([job({})]);
  const { text } = await ask('GET', '/');
  const paths = [...text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path]) => path);

  const answers = await Promise.all(paths.map((path) => ask('GET', path ?? '')));

  expect(paths).toHaveLength(3);
  for (const { status, headers } of answers) {
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  }
  expect(answers.map(({ headers }) => headers.get('content-type')?.split(';')[0])).toEqual([
    'image/svg+xml',
    'text/css',
    'text/javascript',
  ]);
});
