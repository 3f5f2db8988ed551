import { expect, test } from 'vitest';
import { noteInstance, readInstances } from '../../server/core/instances.ts';
import { StoreUnavailable } from '../../server/core/store.ts';
import { job, openService } from '../service.ts';

const KEY = 'instances:default';
const HOUR = 3_600_000;

async function setUp() {
  const service = await openService([job({})]);
  const note = (owner: string, build = 'b') => noteInstance({ ...service.deps, owner, build });
  const owners = async () => (await readInstances(service.store, 'default')).map((i) => i.owner);
  return { ...service, note, owners };
}

test('a process notes itself, again and again, and takes its note away at its end', async () => {
  const { note, store, clock, owners } = await setUp();
  const [a, b] = [note('a:1'), note('b:2')];
  const at = clock.wall();

  await a.note();
  await clock.advance(60_000);
  await b.note();
  await clock.advance(60_000);
  await a.note();

  expect(await readInstances(store, 'default')).toEqual([
    { owner: 'a:1', build: 'b', since: at, seenAt: at + 120_000, running: 0 },
    { owner: 'b:2', build: 'b', since: at + 60_000, seenAt: at + 60_000, running: 0 },
  ]);
  await a.remove();
  await a.note();
  expect(await owners()).toEqual(['b:2']);
});

test('one that was not seen for a day is forgotten, and at most 20 are kept', async () => {
  const { note, clock, owners } = await setUp();
  await note('gone:1').note();
  await clock.advance(24 * HOUR);

  for (let n = 0; n < 25; n++) {
    await note(`p:${n}`).note();
    await clock.advance(1000);
  }

  const kept = await owners();
  expect(kept).toHaveLength(20);
  expect([kept[0], kept.at(-1)]).toEqual(['p:24', 'p:5']);
});

test('whatever somebody put there is passed over, and gone with the next note', async () => {
  const { note, store, owners } = await setUp();
  const odd = {
    'a:1': { build: 7, since: 1, seenAt: 1, running: 0 },
    'b:2': null,
    'c:3': { build: 'b', since: 1e300, seenAt: 1, running: 0 },
    'd:4': 'x',
  };
  for (const value of [odd, null, 7, 'text', [1, 2]]) {
    const found = await store.readMeta(KEY);
    await store.writeMeta(KEY, value, found?.version);

    expect(await owners()).toEqual([]);
  }

  await note('e:5').note();

  expect(await owners()).toEqual(['e:5']);
});

test('two that note at once are both there', async () => {
  const { note, clock, owners } = await setUp();

  const both = Promise.all([note('a:1').note(), note('b:2').note()]);
  for (let turn = 0; turn < 10; turn++) await clock.advance(50);
  await both;

  expect((await owners()).toSorted()).toEqual(['a:1', 'b:2']);
});

test('a store that does not answer hinders nothing', async () => {
  const { note, store, clock, owners } = await setUp();
  const [readMeta, writeMeta] = [store.readMeta.bind(store), store.writeMeta.bind(store)];
  const own = note('a:1');
  store.readMeta = () => Promise.reject(new StoreUnavailable('down'));

  await own.note();
  await own.remove();

  store.readMeta = readMeta;
  // Others write there each time: it is given up after a few tries.
  let tries = 0;
  store.writeMeta = async () => (tries++, false);
  const noting = note('b:2').note();
  for (let turn = 0; turn < 20; turn++) await clock.advance(50);
  await noting;
  store.writeMeta = writeMeta;

  expect(tries).toBe(5);
  expect(await owners()).toEqual([]);
});

test('the service is noted when it listens and not after its stop', async () => {
  const service = await setUp();
  const { deps, store, owners } = service;
  const close = store.close.bind(store);
  store.close = async () => undefined;

  await service.listen();
  await service.settle();
  const up = await owners();
  const stopping = service.stop();
  await service.settle();
  await stopping;
  const down = await owners();

  await close();
  expect([up, down]).toEqual([[deps.owner], []]);
});
