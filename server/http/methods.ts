import type { Express, RequestHandler } from 'express';
import { HttpError } from './errors.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** For a path that exists under another method: 405, and which methods are right. */
export function methodNotAllowed(app: Express): RequestHandler {
  return (req, _res, next) => {
    const allowed = allowedMethods(app, req.baseUrl + req.path).filter(
      (method) => method !== req.method,
    );
    if (allowed.length === 0) return next();
    const allow = allowed.includes('GET') ? [...allowed, 'HEAD'] : allowed;
    const headers = { Allow: allow.join(', ') };
    const detail = `${req.method} is not allowed here; ${allow.join(', ')} would be`;
    next(new HttpError(405, 'Method not allowed', detail, { headers }));
  };
}

/** What the `router` package, version 2.3, keeps of a route or of a router within. */
interface Layer {
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> };
  readonly handle: unknown;
  /** The part of the path that matched; false or undefined where none did. */
  match(path: string): { readonly path: string } | false | undefined;
}

/** Asks the router itself, so that no second list of routes can go out of date. */
function allowedMethods(app: Express, path: string): string[] {
  const found = new Set<string>();
  visit(app.router, path, found);
  return METHODS.filter((method) => found.has(method.toLowerCase()));
}

function visit(router: unknown, path: string, found: Set<string>): void {
  const stack: unknown = Reflect.get(Object(router), 'stack');
  if (!Array.isArray(stack)) return;
  for (const layer of stack.filter(isLayer)) {
    const matched = layer.match(path);
    if (!matched) continue;
    for (const method of Object.keys(layer.route?.methods ?? {})) found.add(method);
    const rest = path.slice(matched.path.length);
    if (layer.route === undefined) visit(layer.handle, rest === '' ? '/' : rest, found);
  }
}

const isLayer = (value: unknown): value is Layer =>
  typeof value === 'object' && value !== null && typeof Reflect.get(value, 'match') === 'function';
