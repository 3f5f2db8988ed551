import express, { Router, type ErrorRequestHandler } from 'express';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lazily } from '../../server/http/lazily.ts';

async function serve(load: () => Promise<Router>): Promise<(path: string) => Promise<string>> {
  const app = express();
  app.get('/before', (_req, res) => void res.send('before'));
  app.use(lazily(load));
  const failed: ErrorRequestHandler = (error, _req, res, _next) =>
    void res.status(500).send(String(error.message));
  app.use(failed);
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return async (path) => await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
}

const routes = (): Router => {
  const router = Router();
  router.get('/page', (_req, res) => void res.send('page'));
  return router;
};

test('routes are loaded once, by the first request that comes as far', async () => {
  let loaded = 0;
  const get = await serve(async () => {
    loaded += 1;
    return routes();
  });

  const before = [await get('/before'), loaded];
  const pages = await Promise.all([get('/page'), get('/page'), get('/page')]);

  expect(before).toEqual(['before', 0]);
  expect(pages).toEqual(['page', 'page', 'page']);
  expect(loaded).toBe(1);
});

test('what could not be loaded is tried again by the next request', async () => {
  let tries = 0;
  const get = await serve(async () => {
    tries += 1;
    if (tries === 1) throw new Error('not today');
    return routes();
  });

  expect([await get('/page'), await get('/page')]).toEqual(['not today', 'page']);
});

/** What is loaded with a file, and with what it loads; not what is only loaded when it is needed. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  for (const [, from = ''] of text.matchAll(
    /^(?:import|export) (?!type )[^;]*?from '([^']+)';|^import '([^']+)';/gms,
  )) {
    if (from.startsWith('.')) loadedWith(join(dirname(file), from), seen);
    else seen.add(from);
  }
  return seen;
}

test('a service listens without what is needed for a request, or for somebody else’s store', () => {
  const loaded = [...loadedWith(join(import.meta.dirname, '../../server/main.ts'))];
  const later =
    /\/http\/(?:api|pages|triggers|google-token)|\/identity\/(?:credentials|bearers|token-list)/;

  expect(loaded).toEqual(expect.arrayContaining(['express', 'helmet']));
  expect(loaded.some((file) => file.endsWith('server/http/identity/identity.ts'))).toBe(true);
  expect(loaded.filter((file) => later.test(file))).toEqual([]);
  expect(loaded.filter((file) => /\/views\/|\/stores\/sqlite|\/firestore/.test(file))).toEqual([]);
  expect(loaded.filter((file) => /\/triggers\/(?:cloud|open|dispatch)/.test(file))).toEqual([]);
});

test('what starts with a trigger is loaded without pages, without the API and what they need', () => {
  const loaded = [...loadedWith(join(import.meta.dirname, '../../server/http/triggers.ts'))];

  expect(loaded.some((file) => file.endsWith('server/core/wake.ts'))).toBe(true);
  expect(loaded.filter((file) => /\/http\/(?:api|pages)\/|\/views\/|valibot/.test(file))).toEqual(
    [],
  );
});

test('packages are loaded by a start for HTTP alone', () => {
  const loaded = [...loadedWith(join(import.meta.dirname, '../../server/main.ts'))];

  const packages = loaded.filter((file) => !file.startsWith('/') && !file.startsWith('node:'));
  expect(packages.toSorted()).toEqual(['express', 'helmet']);
});
