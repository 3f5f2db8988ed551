import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DatabaseSync } from 'node:sqlite';

/*
 * Loaded into a server before anything of its own, and makes it wrong in every way that the fuzzer
 * is there to find. Each fault shows itself only now and then, as faults do.
 */

const { Server } = process.getBuiltinModule('node:http');
const kept: unknown[] = [];

type Serve = () => boolean;

Server.prototype.emit = function planted(event: string, ...args: any[]): boolean {
  const serve: Serve = () => EventEmitter.prototype.emit.call(this, event, ...args);
  if (event !== 'request') return serve();
  const [req, res] = args;
  return wrongly(req, res, serve);
};

function wrongly(req: IncomingMessage, res: ServerResponse, serve: Serve): boolean {
  const { method = '', url = '' } = req;
  // Memory: all that was ever asked is kept.
  kept.push(req, res, Buffer.alloc(8 * 1024));
  if (method === 'PUT' && url.includes('/pause')) return failing(res);
  if (method === 'GET' && /^\/api\/v1\/actions\?.*cursor=/.test(url)) return hanging();
  if (url.startsWith('/api/v1/upcoming?')) return shapeless(res);
  if (/^\/(?!api).*%3C/.test(url)) return reflecting(url, res);
  if (url.includes('/cancel')) res.once('finish', () => writing(res));
  if (url === '/api/v1/system') process.stdout.write('who goes there?\n');
  return serve();
}

function failing(res: ServerResponse): boolean {
  res.writeHead(500, { 'Content-Type': 'application/problem+json' }).end('{}');
  return true;
}

const hanging = (): boolean => true;

function shapeless(res: ServerResponse): boolean {
  res.writeHead(200, { 'Content-Type': 'application/json' }).end('{"upcoming":"soon"}');
  return true;
}

function reflecting(url: string, res: ServerResponse): boolean {
  res.writeHead(404, { 'Content-Type': 'text/html' });
  res.end(`there is no ${unescape(url)}`);
  return true;
}

/** Writes where it has refused. */
function writing({ statusCode }: ServerResponse): void {
  if (statusCode < 400) return;
  const db = new DatabaseSync(process.env['PUNCTUAL_DB'] ?? '');
  const doc = JSON.stringify({ action: 'planted' });
  const sql = 'INSERT INTO actions (id, at, doc) VALUES (?, ?, ?)';
  db.prepare(sql).run(`planted-${performance.now()}`, Date.now(), doc);
  db.close();
}
