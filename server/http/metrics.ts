import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Router } from 'express';
import type { Deps } from '../core/deps.ts';
import {
  PROMETHEUS_TYPE,
  prometheusText,
  type Histogram,
  type Metric,
  type Sample,
} from '../observe/prometheus.ts';

/**
 * `GET /metrics`: the figures of this instance since its start, for Prometheus. Asks nothing of the
 * store, so that looking is never billed. Each of many instances has figures of its own.
 */
export function metricsRoutes(deps: Deps): Router {
  const router = Router();
  let loop: LoopDelay | undefined;
  router.get('/', (_req, res) => {
    const metrics = [
      ...ownFigures(deps),
      ...runFigures(deps),
      ...storeFigures(deps),
      ...loopFigures(loop),
      ...processFigures(),
    ];
    // Watched only where somebody looks, and anew from each look to the next.
    loop ??= watchLoop();
    loop.reset();
    res.set('Content-Type', PROMETHEUS_TYPE).set('Cache-Control', 'no-store');
    res.send(prometheusText(metrics));
  });
  return router;
}

const gauge = (name: string, help: string, value: number | null): Metric => ({
  name,
  help,
  type: 'gauge',
  samples: value === null ? [] : [{ value }],
});

const counter = (name: string, help: string, samples: readonly Sample[]): Metric => ({
  name,
  help,
  type: 'counter',
  samples,
});

function ownFigures(deps: Deps): Metric[] {
  const { runner, registry, wakes, clock, store, build } = deps;
  const { last } = wakes;
  const failing = deps.trouble() ?? store.trouble ?? null;
  return [
    {
      ...gauge('punctual_build_info', 'What runs here; always 1.', null),
      samples: [{ value: 1, labels: { build, node: process.version } }],
    },
    gauge('punctual_jobs', 'Jobs in the code of this instance.', registry.size),
    gauge('punctual_running', 'Attempts that run in this instance now.', runner.running),
    gauge('punctual_capacity', 'Attempts that may run in this instance at once.', runner.capacity),
    gauge(
      'punctual_failing',
      '1 while wake-ups or writes to the store fail, or this instance takes no new work.',
      failing !== null || runner.closed ? 1 : 0,
    ),
    gauge(
      'punctual_last_wake_age_seconds',
      'Since the last wake-up that this instance had.',
      last && Math.max(0, (clock.wall() - last.at) / 1000),
    ),
    gauge(
      'punctual_last_wake_lag_seconds',
      'How long the first of what it found due had been due.',
      last && last.lagMs / 1000,
    ),
  ];
}

function runFigures({ observer }: Deps): (Metric | Histogram)[] {
  if (observer === undefined) return [];
  const { attempts, started, ended, lateness } = observer.figures;
  return [
    counter('punctual_attempts_total', 'Attempts that this instance began.', [{ value: attempts }]),
    counter('punctual_runs_started_total', 'Runs of which this instance began the first attempt.', [
      { value: started },
    ]),
    counter(
      'punctual_runs_ended_total',
      'Ends that this instance put on record; a stretch of skipped or missed occurrences is one.',
      [...ended].map(([state, value]) => ({ value, labels: { state } })),
    ),
    {
      name: 'punctual_lateness_seconds',
      help: 'How late scheduled runs started here.',
      type: 'histogram',
      upTo: lateness.upTo.map(({ ms, count }) => ({ bound: ms / 1000, count })),
      count: lateness.count,
      sum: lateness.sumMs / 1000,
    },
  ];
}

function storeFigures({ store }: Deps): Metric[] {
  const billed = [...(store.costs() ?? [])].flatMap(([operation, cost]) =>
    Object.entries(cost).map(([kind, value]) => ({ value, labels: { operation, kind } })),
  );
  return [
    counter(
      'punctual_store_calls_total',
      'What this instance asked of the store, by operation.',
      [...(store.calls ?? [])].map(([operation, value]) => ({ value, labels: { operation } })),
    ),
    counter('punctual_store_billed_total', 'Documents that this instance was billed for.', billed),
  ];
}

/** Often enough to see what people would feel; each look takes 60 µs, also of a process at rest. */
const RESOLUTION_MS = 50;

type LoopDelay = ReturnType<typeof monitorEventLoopDelay>;

function watchLoop(): LoopDelay {
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  loop.enable();
  return loop;
}

/** Its timer counts in: what it shows lies above its resolution, so that is taken off. */
function loopFigures(loop: LoopDelay | undefined): Metric[] {
  if (loop === undefined || loop.count === 0) return [];
  const seconds = (ns: number): number => Math.max(0, ns / 1e9 - RESOLUTION_MS / 1000);
  const samples = [
    { labels: { quantile: '0.5' }, value: seconds(loop.percentile(50)) },
    { labels: { quantile: '0.99' }, value: seconds(loop.percentile(99)) },
    { labels: { quantile: '1' }, value: seconds(loop.max) },
  ];
  const help = 'How long the event loop kept a timer waiting since the last look at these figures.';
  return [{ ...gauge('punctual_event_loop_delay_seconds', help, null), samples }];
}

/** Under the names that Prometheus has for any process. */
function processFigures(): Metric[] {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const startedAt = performance.timeOrigin / 1000;
  return [
    gauge('process_start_time_seconds', 'When this process started, since 1970.', startedAt),
    gauge('process_resident_memory_bytes', 'Memory of this process.', rss),
    gauge('nodejs_heap_size_used_bytes', 'Memory in use for objects of JavaScript.', heapUsed),
    counter('process_cpu_seconds_total', 'CPU that this process used.', [
      { value: (user + system) / 1e6 },
    ]),
  ];
}
