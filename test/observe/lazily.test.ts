import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fixture, startServer, tempFolder, until } from '../process/server.ts';
import { receiver } from './receiver.ts';

/** Prints each module that a process loads from this folder. */
const LISTING = `
  import { registerHooks } from 'node:module';
  registerHooks({
    load(url, context, next) {
      const found = /server\\/observe\\/([\\w-]+)\\.ts$/.exec(url);
      if (found) process.stdout.write('loaded ' + found[1] + '\\n');
      return next(url, context);
    },
  });
`;

const loaded = (output: string): string[] =>
  [...output.matchAll(/^loaded (.*)$/gm)].map(([, name = '']) => name).toSorted();

test('what sends alerts is loaded with the first alert, and not with a success', async () => {
  const site = await receiver();
  const server = await startServer({
    NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(LISTING)}`,
    PUNCTUAL_DB: join(tempFolder(), 'punctual.db'),
    PUNCTUAL_JOBS: fixture('naughty.ts'),
    PUNCTUAL_ALERT_URL: site.url,
    PUNCTUAL_ALERT_PRIVATE: 'yes',
  });
  await server.trigger('good', 10);
  const before = loaded(server.output());

  await server.trigger('stray-exception', 10);
  await site.count(1);
  const after = await until(async () => {
    const now = loaded(server.output());
    // What was printed may come in parts.
    return now.length >= before.length + 3 && now;
  }, 20_000);

  expect(before).toEqual(['addresses', 'figures', 'log', 'observer']);
  expect(after).toEqual([
    'addresses',
    'alert',
    'alerts',
    'figures',
    'log',
    'observer',
    'safe-fetch',
  ]);
  expect(site.received[0]?.body).toMatchObject({
    kind: 'failed',
    job: 'stray-exception',
    link: expect.stringMatching(`^${server.url}/runs/stray-exception`),
  });
});
