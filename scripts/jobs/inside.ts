import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import express from 'express';
import { readConfig, type Config } from '../../server/config.ts';
import type { Deps, Log } from '../../server/core/deps.ts';
import type { Registry } from '../../server/core/registry.ts';
import type { Store } from '../../server/core/store.ts';
import { apiRoutes } from '../../server/http/api/api.ts';
import { jsonBody } from '../../server/http/body.ts';
import { setCaller } from '../../server/http/caller.ts';
import { errorHandler } from '../../server/http/errors.ts';
import { systemClock } from '../../server/process/clock.ts';
import { loadRegistry } from '../../server/registry.ts';
import { openMemoryStore } from '../../server/stores/memory.ts';
import { depsForScript } from '../deps.ts';
import { openForScript, whoIsHere } from '../open.ts';
import { remark } from './terminal.ts';
import { inProcess, type Send } from './transport.ts';

/** The API over this machine's own store, whether or not a server runs. */
export interface Inside {
  readonly send: Send;
  readonly registry: Registry;
  close(): Promise<void>;
}

/**
 * Opens the store and serves it to this process alone: who may read the store's file may do this.
 * `withJobs` imports the code's jobs, and takes it for an empty store where no server has made one.
 */
export async function openInside({ withJobs }: { readonly withJobs: boolean }): Promise<Inside> {
  const { config, store } = await (withJobs ? openOrEmpty() : openForScript());
  const registry: Registry = withJobs ? await loadRegistry(config, systemClock) : new Map();
  const app = appOf({ ...depsForScript(config, store, registry), log });
  return { send: inProcess(createServer(app)), registry, close: () => store.close() };
}

async function openOrEmpty(): Promise<{ config: Config; store: Store }> {
  const config = readConfig(process.env, process.cwd(), Date.now());
  const isMade = config.store !== 'sqlite' || existsSync(config.db);
  return isMade
    ? await openForScript()
    : { config, store: openMemoryStore({ clock: systemClock }) };
}

function appOf(deps: Deps) {
  const name = whoIsHere();
  const app = express();
  app.set('query parser', 'simple');
  app.use((req, _res, next) => {
    setCaller(req, { name, role: 'operator', jobs: null, by: 'loopback' });
    next();
  });
  app.use('/api/v1', jsonBody, apiRoutes(deps));
  app.use(errorHandler(deps));
  return app;
}

/** There is no other log that an answer could point to. */
const log: Log = (level, event, fields) => {
  const { error } = Object(fields);
  if (level === 'error') remark(`${event}: ${String(error ?? '')}`);
};
