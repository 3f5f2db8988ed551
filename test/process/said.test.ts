import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Isolated } from '../../server/core/isolate.ts';
import { systemClock } from '../../server/process/clock.ts';
import { isolateIn } from '../../server/process/isolated/open.ts';
import { readSaid } from '../../server/process/isolated/said.ts';
import { fixture, tempFolder, until } from './server.ts';

const AN_HOUR = 3_600_000;

/** A worker of a job that ends when it is told to by a file. */
function start(folder: string, runId: string) {
  const lines: string[] = [];
  let hear: (line: string) => void = () => undefined;
  let end: string | null = null;
  let worker: Isolated;
  const ends = { monotonic: systemClock.monotonic() + AN_HOUR, wall: Date.now() + AN_HOUR };
  const gone = new Promise<string | null>((resolve) => {
    const task = { job: 'ends-when-told', runId, trigger: 'manual', secrets: [] };
    worker = isolateIn(fixture('isolated.ts'))(
      { task, memoryMb: 512, lease: { ends, graceMs: 5000 } } as never,
      {
        report(report) {
          if (report.kind === 'ended') end = report.result.output;
          if (report.kind !== 'told') return;
          for (const { text } of report.lines) {
            lines.push(text);
            hear(text);
          }
        },
        gone: ({ message }) => resolve(end ?? message),
      },
    );
  });
  onTestFinished(() => worker.kill());
  return {
    gone,
    pid: () => until(async () => Number(lines[0]) || undefined, 30_000),
    onLine: (call: (line: string) => void) => (hear = call),
    tell: () => writeFileSync(join(folder, runId), ''),
  };
}

/** Stands still until a process is over, and nobody has taken notice of it. */
function waitFor(pid: number): void {
  const end = Date.now() + 20_000;
  while (!readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z')) {
    if (Date.now() > end) throw new Error(`process ${pid} has not ended`);
  }
}

test('what a worker said last counts, though its end is noticed first', async () => {
  const folder = tempFolder();
  process.env['TEST_FOLDER'] = folder;
  const [a, b, c] = [start(folder, 'a'), start(folder, 'b'), start(folder, 'c')];
  const [first, second, third] = await Promise.all([a.pid(), b.pid(), c.pid()]);
  // One turn takes what it found at its beginning, and after that notices whatever has ended.
  a.onLine(() => {
    b.tell();
    waitFor(second);
  });

  a.tell();
  c.tell();
  waitFor(first);
  waitFor(third);

  expect(await Promise.all([a.gone, b.gone, c.gone])).toEqual(['"ended"', '"ended"', '"ended"']);
}, 90_000);

test.each([
  ['nothing of a known kind', { kind: 'odd' }],
  ['lines that are none', { kind: 'told', lines: null, dropped: 0, progress: null }],
  ['an output that is not JSON', { kind: 'ended', result: { output: '{', error: null } }],
  ['an end without a result', { kind: 'ended' }],
])('a worker that says %s is broken', (_, said) => {
  expect(readSaid(said)).toMatchObject({ kind: 'broken', error: { name: 'WorkerCrashed' } });
});

test.each([[null], ['text'], [{ 'watch:require': ['a file'] }]])(
  'what is not from a worker is left alone: %j',
  (said) => {
    expect(readSaid(said)).toBe(undefined);
  },
);
