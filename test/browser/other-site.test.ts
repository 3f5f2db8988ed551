import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openTo, tokenIn } from '../http/identity/callers.ts';
import { openPage } from './page.ts';
import { browser, useChromium } from './use-chromium.ts';

/** A page of somebody else's, in the browser of who is signed in, or sits at this machine. */

useChromium();

/** Another port of this machine: to a browser the same site, so it sends our cookies along. */
async function elsewhere(): Promise<string> {
  const server = createServer((_req, res) => {
    res.setHeader('Content-Type', 'text/html');
    res.end('<!doctype html><title>elsewhere</title><iframe name="hidden"></iframe>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

const CHANGES = [
  '/jobs/other/runs',
  '/jobs/other/pause',
  '/jobs/other/row/runs',
  '/api/v1/jobs/other/runs',
  '/logout',
  '/login',
];

test.each(['tokens', 'loopback'])(
  'changes nothing by any form, and reads nothing (%s)',
  async (mode) => {
    const { url, service } = await openTo('machine', { PUNCTUAL_AUTH: mode });
    const { text } = await tokenIn(service.store, { name: 'ada', role: 'operator' });
    const { page } = await openPage(browser, `${url}/jobs/other`);
    if (mode === 'tokens') {
      await page.getByLabel('Token').fill(text);
      await page.getByRole('button', { name: 'Sign in' }).click();
    }
    await page.waitForURL(`${url}/jobs/other`);
    await page.getByRole('heading', { name: 'other' }).waitFor();
    const before = await page.context().cookies();
    const statuses: number[] = [];
    page.on('response', (answer) => {
      if (answer.request().method() === 'POST') statuses.push(answer.status());
    });

    await page.goto(await elsewhere());
    const read = await page
      .evaluate(
        async ([own, paths]) => {
          for (const path of paths) {
            const init: RequestInit = { method: 'POST', mode: 'no-cors', credentials: 'include' };
            await fetch(own + path, init).catch(() => undefined);
            await fetch(own + path, { ...init, referrerPolicy: 'no-referrer' }).catch(
              () => undefined,
            );
            const form = document.createElement('form');
            Object.assign(form, { method: 'post', action: own + path, target: 'hidden' });
            const frame = document.querySelector('iframe');
            const sent = new Promise((resolve) => frame?.addEventListener('load', resolve));
            document.body.append(form);
            form.submit();
            await Promise.race([sent, new Promise((resolve) => setTimeout(resolve, 1000))]);
          }
          const got = await fetch(`${own}/api/v1/jobs`, { credentials: 'include' });
          return await got.text();
        },
        [url, CHANGES] as const,
      )
      .catch((error: Error) => error.message);
    const after = await page.context().cookies();

    expect(read).toContain('Failed to fetch');
    expect([statuses.length >= CHANGES.length, new Set(statuses)]).toEqual([true, new Set([403])]);
    expect(await service.runs('other')).toEqual([]);
    expect((await service.store.read('other')).record?.paused ?? null).toBe(null);
    expect(after.map(({ name, value }) => [name, value])).toEqual(
      before.map(({ name, value }) => [name, value]),
    );
  },
  180_000,
);
