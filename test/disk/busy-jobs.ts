import { setTimeout as wait } from 'node:timers/promises';
import { defineJob, type Handler, type JobDefinition } from '../../server/core/job.ts';

/** Jobs of every kind, all at work at once: a moment of their store has something of everything. */

const works =
  (ms: number): Handler =>
  async ({ log, progress, signal, attempt }) => {
    for (let at = 0; at < ms; at += 100) {
      log(`attempt ${attempt}, ${at} ms`, { at });
      progress(at, ms);
      await wait(Math.min(100, ms - at), undefined, { signal });
    }
    return { after: ms };
  };

const fails: Handler = ({ attempt, runId }) => {
  if (attempt < 3) throw new Error(`attempt ${attempt} of ${runId} fails`);
};

const backoff = { from: '1s', factor: 1, jitter: 0 } as const;
type Kind = Omit<JobDefinition, 'name' | 'input' | 'run'> & { readonly run: Handler };

const KINDS: Readonly<Record<string, Kind>> = {
  quick: { every: '1s', run: () => ({ ok: true }) },
  skipping: { every: '1s', run: works(1500) },
  queueing: { every: '2s', overlap: 'queue', run: works(1300) },
  replacing: { every: '2s', overlap: 'replace', run: works(3000) },
  several: { every: '1s', overlap: { allow: 2 }, run: works(2500) },
  failing: { every: '2s', retry: { attempts: 2, backoff }, run: fails },
  retried: { every: '3s', retry: { attempts: 3, backoff }, onLost: 'retry', run: fails },
  paused: { every: '1s', run: works(50) },
  'by-hand': { overlap: 'queue', run: works(700) },
  'filled-in': { every: '1h', run: works(60) },
};

export default Object.entries(KINDS).map(([name, kind]) => defineJob({ name, ...kind }));
