import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Handler, Job } from '../../server/core/job.ts';
import { runNow } from '../../server/core/run-now.ts';
import { metricsRoutes } from '../../server/http/metrics.ts';
import { prometheusText } from '../../server/observe/prometheus.ts';
import { runRequest } from '../builders.ts';
import { byHand, job, openService, type TestService } from '../service.ts';

/** Authority: https://prometheus.io/docs/instrumenting/exposition_formats, text 0.0.4. */

interface Read {
  readonly types: ReadonlyMap<string, string>;
  /** By name and labels, as they stand. */
  readonly values: ReadonlyMap<string, number>;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\\\\\|\\\\"|\\\\n)*"';
const SAMPLE = new RegExp(`^(${NAME})(\\{${LABEL}(?:,${LABEL})*\\})? (\\S+)$`);

/** Reads the format as strictly as it is written down; throws for any line that is not it. */
function read(text: string): Read {
  const types = new Map<string, string>();
  const values = new Map<string, number>();
  let family = '';
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const lines = text.slice(0, -1).split('\n');
  for (const [i, line] of lines.entries()) {
    const comment = new RegExp(`^# (HELP|TYPE) (${NAME}) ([^\\n]+)$`).exec(line);
    if (comment?.[1] === 'HELP') {
      family = comment[2] ?? '';
      if (types.has(family)) throw new Error(`${family} comes twice`);
      if (!lines[i + 1]?.startsWith(`# TYPE ${family} `)) throw new Error(`${family}: no type`);
    } else if (comment !== null) {
      if (comment[2] !== family) throw new Error(`a type of something else: ${line}`);
      types.set(family, comment[3] ?? '');
    } else {
      const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
      const suffix = types.get(family) === 'histogram' ? /_(?:bucket|sum|count)$/ : /$^/;
      if (name.replace(suffix, '') !== family) throw new Error(`not of ${family}: ${line}`);
      if (!/^(?:[-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf)|NaN)$/.test(value)) throw new Error(line);
      if (values.has(name + labels)) throw new Error(`twice: ${line}`);
      values.set(name + labels, Number(value.replace('Inf', 'Infinity')));
    }
  }
  return { types, values };
}

async function measured(jobs: readonly Job[], env: Record<string, string> = {}) {
  const service = await openService(jobs, { env });
  const server = createServer(express().use('/metrics', metricsRoutes(service.deps)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  const look = async (): Promise<Read & { readonly answer: Response }> => {
    const answer = await fetch(url);
    return { ...read(await answer.text()), answer };
  };
  return { service, look };
}

const failing: Handler = () => {
  throw new Error('no');
};

async function lived(): Promise<{ look: () => Promise<Read>; service: TestService }> {
  const jobs = [
    job({ name: 'good' }),
    job({ name: 'bad', run: failing, catchUp: { runs: 'none' } }),
  ];
  const { service, look } = await measured(jobs, { PUNCTUAL_MAX_RUNNING: '7' });
  await service.wake('00:01:00');
  await service.wake('00:02:10');
  await service.wake('01:00:00');
  return { service, look };
}

test('every line is what the format says, and each figure says what it is', async () => {
  const { look } = await lived();

  const { types } = await look();
  const again = await look();

  expect(Object.fromEntries(types)).toMatchObject({
    punctual_runs_ended_total: 'counter',
    punctual_lateness_seconds: 'histogram',
    punctual_running: 'gauge',
    process_resident_memory_bytes: 'gauge',
  });
  expect(again.types.size).toBeGreaterThanOrEqual(types.size);
});

test('is text of version 0.0.4, and kept by nobody', async () => {
  const { look } = await measured([]);

  const { answer } = await look();

  expect(answer.headers.get('content-type')).toMatch(/^text\/plain;.*version=0\.0\.4/);
  expect(answer.headers.get('content-type')).toContain('charset=utf-8');
  expect(answer.headers.get('cache-control')).toBe('no-store');
});

test('runs are counted by how they ended, and stretches that did not run by one', async () => {
  const { look } = await lived();

  const { values } = await look();

  expect(values.get('punctual_runs_ended_total{state="succeeded"}')).toBe(3);
  expect(values.get('punctual_runs_ended_total{state="failed"}')).toBe(3);
  expect(values.get('punctual_runs_ended_total{state="missed"}')).toBe(2);
  expect(values.get('punctual_runs_started_total')).toBe(6);
  expect(values.get('punctual_attempts_total')).toBe(6);
  expect(values.get('punctual_jobs')).toBe(2);
  expect(values.get('punctual_capacity')).toBe(7);
  expect(values.get('punctual_running')).toBe(0);
});

test('a run that is tried three times is one run of three attempts', async () => {
  const retry = { attempts: 3, backoff: { from: '1s', jitter: 0 } } as const;
  const { service, look } = await measured([job({ run: failing, retry, schedule: '0 * * * *' })]);
  await service.wake('01:00:00');
  for (const second of [1, 3]) await service.wake(`01:00:0${second}`);

  const { values } = await look();

  expect(values.get('punctual_runs_started_total')).toBe(1);
  expect(values.get('punctual_attempts_total')).toBe(3);
  expect(values.get('punctual_runs_ended_total{state="failed"}')).toBe(1);
});

test('how late scheduled runs started is spread over bounds that grow', async () => {
  const { look } = await lived();

  const { values } = await look();
  const buckets = [...values].filter(([name]) => name.startsWith('punctual_lateness_seconds_b'));
  const counts = buckets.map(([, count]) => count);

  expect(values.get('punctual_lateness_seconds_bucket{le="0.05"}')).toBe(2);
  expect(values.get('punctual_lateness_seconds_bucket{le="15"}')).toBe(4);
  expect(values.get('punctual_lateness_seconds_bucket{le="+Inf"}')).toBe(6);
  expect(values.get('punctual_lateness_seconds_count')).toBe(6);
  expect(values.get('punctual_lateness_seconds_sum')).toBe(2 * (0 + 10 + 120));
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
});

test('what runs now, and what somebody started, is there to be seen', async () => {
  const hangs = byHand({ run: () => new Promise(() => undefined) });
  const { service, look } = await measured([hangs]);
  await runNow(service.deps, hangs, runRequest());
  await service.settle();

  const { values } = await look();

  expect(values.get('punctual_running')).toBe(1);
  expect(values.get('punctual_lateness_seconds_count')).toBe(0);
});

test('a look asks nothing of the store', async () => {
  const { service, look } = await lived();
  await look();
  const before = new Map(service.deps.store.calls);

  const { values } = await look();

  expect(new Map(service.deps.store.calls)).toEqual(before);
  expect(values.get('punctual_store_calls_total{operation="commit: finish"}')).toBe(6);
});

test('the last wake-up has an age and a lag once there was one', async () => {
  const { service, look } = await measured([job({})]);
  const before = await look();
  const { wakes, clock } = service.deps;
  await wakes.heard(service.deps, { at: clock.wall(), started: 1, lagMs: 2500 });
  await service.clock.advance(30_000);

  const { values } = await look();

  expect(before.types.has('punctual_last_wake_age_seconds')).toBe(false);
  expect(values.get('punctual_last_wake_age_seconds')).toBe(30);
  expect(values.get('punctual_last_wake_lag_seconds')).toBe(2.5);
});

test('it is failing while it takes no new work', async () => {
  const { service, look } = await measured([]);
  const before = await look();
  void service.deps.runner.drain(service.deps, 0);

  const { values } = await look();

  expect(before.values.get('punctual_failing')).toBe(0);
  expect(values.get('punctual_failing')).toBe(1);
});

test('how long the event loop stood still is known from the second look on', async () => {
  const { look } = await measured([]);
  const first = await look();
  await new Promise((resolve) => setTimeout(resolve, 60));
  const until = Date.now() + 150;
  while (Date.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 30));

  const { values } = await look();

  expect(first.types.has('punctual_event_loop_delay_seconds')).toBe(false);
  expect(values.get('punctual_event_loop_delay_seconds{quantile="1"}')).toBeGreaterThan(0.1);
});

describe('the writer', () => {
  test('escapes what is in a label, whatever it is', () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('"', '\\', '\n', '\\n"}'),
    );
    fc.assert(
      fc.property(nasty, nasty, (a, help) => {
        const samples = [{ value: 1, labels: { a } }];
        const text = prometheusText([{ name: 'x', help: `h${help}`, type: 'gauge', samples }]);
        const [line = ''] = [...read(text).values.keys()];
        const shown = line.slice('x{a="'.length, -'"}'.length);
        const meant = shown.replace(/\\(.)/gs, (_all, one: string) => (one === 'n' ? '\n' : one));
        expect(meant).toBe(a.toWellFormed());
      }),
      { numRuns: 1000, seed: 8 },
    );
  });

  test('writes numbers that have no digits in words', () => {
    const samples = [NaN, Infinity, -Infinity].map((value, i) => ({
      value,
      labels: { i: `${i}` },
    }));

    const text = prometheusText([{ name: 'x', help: 'x', type: 'gauge', samples }]);

    expect(text.match(/\S+$/gm)?.slice(-3)).toEqual(['NaN', '+Inf', '-Inf']);
  });

  test('leaves out what has no value', () => {
    expect(prometheusText([{ name: 'x', help: 'x', type: 'gauge', samples: [] }])).toBe('');
  });
});
