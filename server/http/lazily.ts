import { Router, type ErrorRequestHandler, type Request } from 'express';

/** Gives what is loaded when it is first asked for. What failed is tried again by the next. */
export function once<Value>(load: () => Promise<Value>): () => Promise<Value> {
  let loading: Promise<Value> | undefined;
  return async () => {
    loading ??= load();
    return await loading.catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
  };
}

/** A router whose routes are loaded by the first request that comes as far. */
export function lazily(load: () => Promise<Router>): Router {
  const router = Router();
  const loaded = once(async () => void router.use(await load()));
  router.use(async (_req, _res, next) => {
    await loaded();
    next();
  });
  return router;
}

/** The same for what answers errors, of some requests alone. */
export function lazilyOnError(
  isFor: (req: Request) => boolean,
  load: () => Promise<ErrorRequestHandler>,
): ErrorRequestHandler {
  const loaded = once(load);
  return async (error: unknown, req, res, next) => {
    if (!isFor(req)) return next(error);
    const handler = await loaded().catch(() => undefined);
    if (handler === undefined) next(error);
    else await handler(error, req, res, next);
  };
}
