import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { tempFolder } from '../process/server.ts';
import { callBeside } from './call.ts';

/** By npm itself, and a registry of our own that answers what npm asks. */

type Advisory = Readonly<Record<string, unknown>>;

async function registry(known: Readonly<Record<string, readonly Advisory[]>>, status = 200) {
  let asked: Record<string, readonly string[]> = {};
  const server = createServer((req, res) => {
    void buffer(req).then((bytes) => {
      if (req.method !== 'POST') return void res.writeHead(404).end('{}');
      const zipped = req.headers['content-encoding'] === 'gzip';
      asked = JSON.parse(String(zipped ? gunzipSync(bytes) : bytes));
      res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(known));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const env = {
    HOME: tempFolder(),
    npm_config_cache: join(tempFolder(), 'cache'),
    npm_config_registry: `http://127.0.0.1:${port}/`,
    npm_config_fetch_retries: '0',
  };
  const audit = (...words: readonly string[]) => callBeside('audit-dependencies.ts', words, env);
  return { audit, asked: () => asked };
}

const advisory = (severity: string): Advisory => ({
  id: 1,
  url: 'https://github.com/advisories/GHSA-xxxx',
  title: 'Reads too much \u001b[31m',
  severity,
  vulnerable_versions: '<99.0.0',
  cwe: [],
  cvss: { score: 5, vectorString: null },
});

test('asks about every package that is deployed, and about none for development', async () => {
  const { audit, asked } = await registry({});

  const { status, out, err } = await audit();

  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  expect([status, err]).toEqual([0, '']);
  expect(out).toMatch(/^\d+ packages for production: 0 with known faults of low up\n$/);
  expect(Object.keys(asked())).toEqual(expect.arrayContaining(Object.keys(dependencies)));
  expect(asked()['express']).toEqual([dependencies.express]);
  expect(Object.keys(asked())).not.toContain('vitest');
  expect(Object.keys(devDependencies)).toContain('vitest');
});

test('names what is known, and exits 1; a lower level than asked for does not count', async () => {
  const { audit } = await registry({ helmet: [advisory('moderate')] });

  const found = await audit();
  const high = await audit('--level', 'high');

  expect([found.status, found.err]).toEqual([1, '']);
  expect(found.out).toContain('helmet: moderate\n');
  expect(found.out).toContain(', in <99.0.0 (https://github.com/advisories/GHSA-xxxx)');
  expect(found.out).not.toContain('\u001b');
  expect(found.out).toContain('1 with known faults of low up');
  expect([high.status, high.out]).toEqual([
    0,
    expect.stringContaining('0 with known faults of high up'),
  ]);
});

test('says that nothing is known where the registry could not be asked, and exits 2', async () => {
  const { audit } = await registry({}, 405);

  const { status, out, err } = await audit();

  expect([status, out]).toEqual([2, '']);
  expect(err).toMatch(/^The registry could not be asked, so nothing is known: 405 /);
});

test('refuses a level that there is not', async () => {
  const { audit } = await registry({});

  const { status, err } = await audit('--level', 'awful');

  expect(status).toBe(2);
  expect(err).toContain('--level is "awful"; right would be one of low, moderate, high, critical');
});
