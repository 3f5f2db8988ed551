import { expect, test } from 'vitest';
import { StoreUnavailable, UnknownOutcome } from '../../server/core/store.ts';
import { tallied } from '../../server/stores/tallied.ts';
import { commit, jobRecord, logChunk } from '../builders.ts';
import { openStore } from './sqlite-fixture.ts';

const open = () => {
  const store = openStore({ path: ':memory:' });
  return { store, watched: tallied(store) };
};

test('a write that failed is told of until one succeeds', async () => {
  const { store, watched } = open();
  const appendLog = store.appendLog.bind(store);
  const told = [watched.trouble];

  store.appendLog = () => Promise.reject(new StoreUnavailable('no room'));
  await watched.appendLog(logChunk()).catch(() => told.push(watched.trouble));
  store.appendLog = () => Promise.reject(new UnknownOutcome('half'));
  await watched.appendLog(logChunk()).catch(() => told.push(watched.trouble));
  store.appendLog = appendLog;
  await watched.appendLog(logChunk());
  told.push(watched.trouble);

  expect(told).toEqual([null, 'no room', 'half', null]);
});

test('what stored nothing shows nothing: a conflict, a note that was not the last, a bug', async () => {
  const { store, watched } = open();
  await watched.commit(commit(jobRecord()));
  const recordAction = store.recordAction.bind(store);
  store.recordAction = () => Promise.reject(new StoreUnavailable('no room'));
  const action = { id: 'a', at: 0, by: null, action: 'x', job: null, runId: null, detail: '' };
  await watched.recordAction(action).catch(() => undefined);

  const conflict = await watched.commit(commit(jobRecord(), { version: '999' }));
  const note = await watched.writeMeta('note', 1, '999');
  await watched.deleteRuns([]);
  store.recordAction = () => Promise.reject(new TypeError('a bug'));
  await watched.recordAction(action).catch(() => undefined);
  const still = watched.trouble;
  store.recordAction = recordAction;
  await watched.recordAction(action);

  expect([conflict.kind, note, still, watched.trouble]).toEqual([
    'conflict',
    false,
    'no room',
    null,
  ]);
});
