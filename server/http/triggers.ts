import { Router, type Response } from 'express';
import { ENDING_MS, PROCESS, RequestCarrier } from '../core/carrier.ts';
import type { Deps } from '../core/deps.ts';
import { jobOfRun } from '../core/ids.ts';
import type { JobRecord } from '../core/records.ts';
import { sleep } from '../core/time.ts';
import { wakeAll, wakeJob, type Woken, type WokenAll } from '../core/wake.ts';
import { findJob } from './find.ts';
import { HttpError } from './errors.ts';

/** A tick for all jobs must not drown the store, nor what the handlers work with. */
const AT_ONCE_IN_A_TICK = 4;

/**
 * Wake-ups from outside. Nothing in their headers or bodies decides anything. 200 means that what
 * was due is on record, whatever becomes of it; 503 that the sender should come again.
 */
export function triggerRoutes(deps: Deps): Router {
  const router = Router();
  router.use((_req, _res, next) => {
    const { closed, draining } = deps.runner;
    if (!closed) return next();
    const headers = { 'Retry-After': '5' };
    const why = draining
      ? 'the service is shutting down'
      : 'a handler does not stop: this process takes no new work, and ends after the runs it has';
    next(new HttpError(503, 'Unavailable', why, { headers }));
  });

  router.post('/tick', async (_req, res) => {
    if (inRequests(deps)) return void res.json(await carriedTick(deps));
    const reach = { aheadMs: deps.timing.earlyMs, thorough: true };
    const woken = await wakeAll(deps, reach);
    const { started, unsteady } = woken;
    await heard(deps, woken);
    res.json({ started, ...(unsteady !== null && { unsteady }) });
  });
  router.post('/jobs/:name', (req, res) => wakeOne(deps, req.params.name, res));
  // The name of a run says which job to wake; what is due of it is for its record to say.
  router.post('/runs/:id', (req, res) => {
    const name = jobOfRun(req.params.id);
    if (name === undefined) throw new HttpError(400, 'Bad request', 'that is no id of a run');
    return wakeOne(deps, name, res);
  });
  return router;
}

/** A run has its whole timeout: what passes before its start comes on top, in either carrier. */
const REQUEST_KEEPS_MS = 1.5 * ENDING_MS;
const TICK_SLACK = 1.1;

/** Whether runs must be over before what started them is answered. */
const inRequests = ({ carrier }: Deps): boolean => carrier !== PROCESS;

async function wakeOne(deps: Deps, given: string, res: Response) {
  const { name } = findJob(deps, given);
  if (!inRequests(deps)) {
    const woken = await wakeJob(deps, name);
    const { outcome, started } = woken;
    await heardOne(deps, woken);
    return void res.json({ job: name, outcome, started: started.map(({ runId }) => runId) });
  }
  const carrier = new RequestCarrier(deps.clock, {
    forMs: deps.requestMs - REQUEST_KEEPS_MS,
    atOnce: Infinity,
  });
  const woken = await wakeJob(deps, name, { carrier });
  const { outcome, started } = woken;
  await heardOne(deps, woken);
  const unfinished = await over(deps, carrier);
  const runs = started.map(({ runId }) => runId);
  res.json({ job: name, outcome, started: runs, ...(unfinished > 0 && { unfinished }) });
}

/** Whether its runs are for a request of their own to carry. */
const isLong = ({ registry, timing }: Deps, { name }: JobRecord): boolean =>
  (registry.get(name)?.spec.timeoutMs ?? 0) > timing.tickCarriesMs;

/** A wake-up that came: noted before it is answered, for a platform may stop the process then. */
const heard = (deps: Deps, { storeNow: at, started, lagMs }: Omit<WokenAll, 'left' | 'unsteady'>) =>
  deps.wakes.heard(deps, { at, started, lagMs });

async function heardOne(deps: Deps, { storeNow, started, lagMs }: Woken): Promise<void> {
  if (storeNow !== null) await heard(deps, { storeNow, started: started.length, lagMs });
}

/** Starts what is due, a few at once, for as long as there is time, and waits for its end. */
async function carriedTick(deps: Deps) {
  const forMs = deps.timing.tickCarriesMs * TICK_SLACK;
  const carrier = new RequestCarrier(deps.clock, { forMs, atOnce: AT_ONCE_IN_A_TICK });
  let [started, lagMs] = [0, 0];
  for (;;) {
    const woken = await wakeAll(deps, { aheadMs: deps.timing.earlyMs, thorough: true, carrier });
    started += woken.started;
    lagMs = Math.max(lagMs, woken.lagMs);
    await heard(deps, { storeNow: woken.storeNow, started, lagMs });
    for (const record of woken.left) if (isLong(deps, record)) deps.dispatch?.due(record);
    if (woken.unsteady !== null) return { started, unsteady: woken.unsteady };
    if (!carrier.askAgain() || carrier.taken === 0) break;
    // Somebody was turned away for want of a place: there is one when the next is done.
    await Promise.race([carrier.next(), sleep(deps.clock, carrier.leftMs())]);
  }
  const unfinished = await over(deps, carrier);
  return { started, ...(unfinished > 0 && { unfinished }) };
}

/**
 * Waits until nothing is at work in a request any more, or it has to be answered all the same: how
 * many were still at it then. They keep their lease, and no other starts over them.
 */
async function over(deps: Deps, carrier: RequestCarrier): Promise<number> {
  const giveUp = new AbortController();
  const late = sleep(deps.clock, carrier.leftMs() + ENDING_MS, giveUp.signal);
  let waiting = true;
  void late.then(() => (waiting = false));
  while (carrier.taken > 0 && waiting) await Promise.race([carrier.next(), late]);
  giveUp.abort();
  await deps.dispatch?.settled();
  await deps.observer?.settled(carrier.leftMs() + ENDING_MS);
  return carrier.taken;
}
