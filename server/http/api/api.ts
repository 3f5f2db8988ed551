import { Router, type Request, type RequestHandler, type Response } from 'express';
import type { Deps } from '../../core/deps.ts';
import { visibleJson } from '../../core/unseen.ts';
import { callerOf } from '../caller.ts';
import type { Asking, Endpoint } from './endpoint.ts';
import { ENDPOINTS } from './endpoints.ts';
import { assertSees, assertSeesAll, assertSeesRun } from './scope.ts';

/** The JSON surface, below `/api/v1`: a route for each endpoint of the table. */
export function apiRoutes(deps: Deps): Router {
  const router = Router();
  for (const endpoint of ENDPOINTS) {
    const path = endpoint.path.replaceAll(/\{(\w+)\}/g, ':$1');
    const serve: RequestHandler = (req, res) => answer(deps, endpoint, req, res);
    switch (endpoint.method) {
      case 'GET':
        router.get(path, serve);
        break;
      case 'POST':
        router.post(path, serve);
        break;
      case 'PUT':
        router.put(path, serve);
        break;
      case 'DELETE':
        router.delete(path, serve);
        break;
    }
  }
  return router;
}

async function answer(deps: Deps, endpoint: Endpoint, req: Request, res: Response): Promise<void> {
  const gone = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) gone.abort();
  });
  const asking: Asking = { deps, caller: callerOf(req), req, gone: gone.signal };
  assertInScope(endpoint, asking);
  const answered = await endpoint.answer(asking);
  if ('send' in answered) return await answered.send(res);
  const { status, body, headers = {} } = answered;
  // Whoever reads it at a terminal is not to be told what to do by it.
  res
    .status(status)
    .set(headers)
    .type('json')
    .send(visibleJson(JSON.stringify(body)));
}

/** Before anything else is told, so that what a caller may not see looks like what is not there. */
function assertInScope({ scope }: Endpoint, { caller, req }: Asking): void {
  const param = (name: string): string => String(req.params[name]);
  switch (scope) {
    case 'job':
      return assertSees(caller, param('name'));
    case 'run':
      return assertSeesRun(caller, param('id'));
    case 'service':
      return assertSeesAll(caller);
    case 'jobs':
    case 'open':
      return undefined;
  }
}
