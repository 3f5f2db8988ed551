import type { Express, RequestHandler } from 'express';
import type { Ask } from '../client.ts';

/** What the `router` package, version 2.3, keeps of a route or of a router within. */
interface Layer {
  readonly route?: Route;
  handle: unknown;
  match(path: string): { readonly path: string } | false | undefined;
}

interface Route {
  readonly path: string | readonly string[];
  readonly methods: Readonly<Record<string, boolean>>;
  /** What is called for it, one after the other. */
  readonly stack: readonly { handle: RequestHandler }[];
}

const PREFIXES = ['/triggers', '/_ah', '/api/v1', '/metrics'];

/** Every route that there is, as the router itself has it: `GET /jobs/:name`. */
export async function routesOf(app: Express, ask: Ask): Promise<readonly string[]> {
  const found = new Set<string>();
  await eachRoute(app, ask, (paths, { methods }) => {
    for (const method of Object.keys(methods))
      for (const path of paths) found.add(`${method.toUpperCase()} ${path}`);
  });
  return [...found].toSorted();
}

/** Says on each route who is about to be served by it, instead of serving anybody. */
export async function listenOnRoutes(
  app: Express,
  ask: Ask,
  hear: (paths: readonly string[], req: Parameters<RequestHandler>[0]) => void,
): Promise<void> {
  await eachRoute(app, ask, (paths, { stack }) => {
    const listen: RequestHandler = (req, res) => {
      hear(paths, req);
      res.end();
    };
    for (const one of stack) one.handle = listen;
  });
}

async function eachRoute(
  app: Express,
  ask: Ask,
  see: (paths: readonly string[], route: Route) => void,
): Promise<void> {
  // Whatever is loaded by the first request that comes as far.
  for (const path of ['/', '/api/v1/jobs', '/metrics']) await ask('GET', path);
  await ask('POST', '/triggers/jobs/none');
  visit(app.router, '', see);
}

function visit(router: unknown, base: string, see: Parameters<typeof eachRoute>[2]): void {
  const stack: unknown = Reflect.get(Object(router), 'stack');
  if (!Array.isArray(stack)) return;
  for (const layer of stack.filter(isLayer)) {
    const { route } = layer;
    if (route === undefined) {
      const prefix = base === '' ? PREFIXES.find((one) => isMount(layer, one)) : undefined;
      visit(layer.handle, prefix ?? base, see);
      continue;
    }
    const paths = [route.path].flat();
    see(
      paths.map((path) => base + (path === '/' && base !== '' ? '' : path)),
      route,
    );
  }
}

/** Whether a router is mounted there, and not everywhere. */
const isMount = (layer: Layer, prefix: string): boolean => {
  const matched = layer.match(`${prefix}/x`);
  return matched !== false && matched !== undefined && matched.path === prefix;
};

const isLayer = (value: unknown): value is Layer =>
  typeof value === 'object' && value !== null && typeof Reflect.get(value, 'match') === 'function';
