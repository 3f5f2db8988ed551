import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Router } from 'express';

/** What pages load. Addresses change with the contents, so each may be kept for good. */

const require = createRequire(import.meta.url);

const sheet = (name: string): Buffer =>
  readFileSync(new URL(`../../views/assets/${name}`, import.meta.url));

const css = Buffer.concat(['app.css', 'states.css', 'run.css', 'schedule.css'].map(sheet));
const htmx = readFileSync(require.resolve('htmx.org/dist/htmx.min.js'));

const htmxVersion = (): string => {
  const manifest: unknown = require('htmx.org/package.json');
  return String(Reflect.get(Object(manifest), 'version'));
};

export const assetPaths = {
  css: `/assets/app-${createHash('sha256').update(css).digest('hex').slice(0, 12)}.css`,
  htmx: `/assets/htmx-${htmxVersion()}.min.js`,
} as const;

export function assetRoutes(): Router {
  const router = Router();
  const serve = (path: string, type: string, content: Buffer): void => {
    router.get(path, (_req, res) => {
      res.set('Cache-Control', 'public, max-age=31536000, immutable').type(type).send(content);
    });
  };
  serve(assetPaths.css, 'css', css);
  serve(assetPaths.htmx, 'js', htmx);
  return router;
}
