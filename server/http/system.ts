import { Router } from 'express';
import { systemPage } from '../../views/system.ts';
import { NO_COST, plus, type Cost } from '../core/cost.ts';
import type { Deps } from '../core/deps.ts';
import { assetPaths } from './assets.ts';
import { showProblem } from './problem-page.ts';
import { sendHtml } from './send-html.ts';

/** The page that tells what the service is made of. */
export function systemRoutes(deps: Deps): Router {
  const router = Router();

  router.get('/system', async (_req, res) => {
    const { storeNow: now, unsteady } = await deps.store.time();
    const { store, registry, build, namespace, owner, timing, zoneData, runner } = deps;
    const seconds = (ms: number): string => `${ms / 1000} s`;
    const facts = [
      ['Store', store.place],
      ['Its clock', unsteady ?? 'steady'],
      ['Jobs in the code', `${registry.size}`],
      ['Running in this process', `${runner.running}`],
      ['Build', build],
      ['Namespace', namespace],
      ['This process', owner],
      ['Lease', seconds(timing.leaseMs)],
      ['Tick', seconds(timing.tickMs)],
      ['Time zones', zoneData],
    ] as const;
    const upMs = process.uptime() * 1000;
    const costs = store.costs();
    const total = [...(costs?.values() ?? [])].reduce<Cost>(plus, NO_COST);
    const view = { now, facts, costs, total, upMs };
    sendHtml(res, systemPage(view, assetPaths));
  });
  router.use(showProblem);
  return router;
}
