import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Router } from 'express';

/** What pages load. Addresses change with the contents, so each may be kept for good. */

const SHEETS = [
  'app',
  'tables',
  'forms',
  'states',
  'run',
  'log',
  'schedule',
  'timeline',
  'system',
  'runs',
  'jobs',
  'job',
  'job-charts',
  'backfill',
  'api',
];
const SCRIPTS = ['clock', 'poll', 'trouble', 'keys', 'log', 'timeline', 'strip', 'job'];
const LIBRARY = ['htmx.org/dist/htmx.min.js', 'htmx.org/dist/ext/hx-ptag.min.js'];

const require = createRequire(import.meta.url);

const read = (path: string | URL): string => readFileSync(path, 'utf8');
const own = (name: string): string =>
  read(new URL(`../../../views/assets/${name}`, import.meta.url));

/** Each script keeps its names to itself. */
const enclosed = (script: string): string => `(() => {\n${script}\n})();\n`;

const css = SHEETS.map((name) => own(`${name}.css`)).join('\n');
const js = [
  ...LIBRARY.map((path) => `${read(require.resolve(path))}\n`),
  ...SCRIPTS.map((name) => enclosed(own(`${name}.js`))),
].join('');

const hashed = (name: string, content: string, end: string): string =>
  `/assets/${name}-${createHash('sha256').update(content).digest('hex').slice(0, 12)}.${end}`;

const icon = own('icon.svg');

export const assetPaths = {
  css: hashed('app', css, 'css'),
  js: hashed('app', js, 'js'),
  icon: hashed('icon', icon, 'svg'),
} as const;

export function assetRoutes(): Router {
  const router = Router();
  const serve = (path: string, type: string, content: string): void => {
    router.get(path, (_req, res) => {
      res.set('Cache-Control', 'public, max-age=31536000, immutable').type(type).send(content);
    });
  };
  serve(assetPaths.css, 'css', css);
  serve(assetPaths.js, 'js', js);
  serve(assetPaths.icon, 'svg', icon);
  return router;
}
