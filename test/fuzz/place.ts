import type { Document } from '../http/conforms.ts';
import type { Caller } from './callers.ts';
import { LOCAL_CALLERS, makeTokenCallers } from './callers.ts';
import { Client, type Heard } from './connection.ts';
import { draft, encoded, wireOf, type Draft } from './draft.ts';
import { HOLDING } from './jobs.ts';
import { operationsOf, type Operation } from './operations.ts';
import { Pool } from './pool.ts';
import { Records, type Sketch } from './records.ts';
import { makeFolder, startServer, type Folder, type Server } from './server.ts';

/** A server with all that is known of it. */
export interface Place {
  readonly server: Server;
  readonly records: Records;
  readonly pool: Pool;
  readonly client: Client;
  readonly callers: readonly Caller[];
  /** Whoever may do everything: puts things in order, and is not judged. */
  readonly chief: Caller;
  readonly secrets: readonly string[];
  readonly operations: readonly Operation[];
  readonly host: string;
  /** Its database as it was when everything was at rest. */
  known: { readonly version: number; readonly sketch: Sketch };
  remove(): void;
}

/** On one of them it does not take many triggers until they are too many. */
const ENVIRONMENT = {
  tokens: { PUNCTUAL_AUTH: 'tokens' },
  loopback: { PUNCTUAL_TRIGGERS_PER_SECOND: '4' },
} as const;

export type Access = 'tokens' | 'loopback';

/** Starts a server that asks for tokens, or one that trusts its own machine. */
export async function openPlace(access: Access, imports: readonly string[]): Promise<Place> {
  const folder = makeFolder();
  const { callers, tokens, secrets } =
    access === 'tokens'
      ? await makeTokenCallers(folder.db)
      : { callers: LOCAL_CALLERS, tokens: [], secrets: [] };
  const env = ENVIRONMENT[access];
  const server = await startServer(access, { db: folder.db, env, imports });
  const records = new Records(folder.db);
  const [chief] = callers;
  if (chief === undefined) throw new Error('nobody comes by');
  const place = {
    server,
    records,
    callers,
    secrets,
    chief,
    pool: new Pool(),
    client: new Client(server.port),
    host: `127.0.0.1:${server.port}`,
    known: { version: records.version(), sketch: records.sketch() },
    operations: [],
    remove: () => remove(folder, server, records),
  };
  for (const token of tokens) place.pool.tokens.add(token, token);
  return { ...place, operations: operationsOf(await readDocument(place)) };
}

function remove(folder: Folder, server: Server, records: Records): void {
  server.child.kill('SIGKILL');
  records.close();
  folder.remove();
}

type Asked = Pick<Place, 'client' | 'chief' | 'host'>;

/** Asks as somebody who may do everything. */
export async function askAs(place: Asked, one: Draft): Promise<Heard> {
  const { chief, host, client } = place;
  const bytes = wireOf(chief.sign(one, host), host);
  return await client.ask(bytes, one.method, { deadlineMs: 10_000, leaveAfterMs: null });
}

async function readDocument(place: Asked): Promise<Document> {
  const { answers } = await askAs(place, draft('', 'GET', '/api/v1/openapi.json'));
  const document = answers[0]?.body;
  if (document === undefined || !isDocument(document)) throw new Error('there is no document');
  return document;
}

const isDocument = (value: object): value is Document => 'paths' in value && 'components' in value;

/** Asks as somebody who may do everything, and keeps what there is to learn from the answer. */
async function see(place: Place, method: string, template: string, params = {}, query = '') {
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encoded(String(Reflect.get(params, name))),
  );
  const one = draft(`${method} /api/v1${template}`, method, `/api/v1${path}${query}`);
  const { answers } = await askAs(place, one);
  for (const answer of answers) place.pool.harvest(one, answer);
  return answers[0]?.body ?? {};
}

/** Gets to know what there is, and starts each job once. */
export async function lookAround(place: Place): Promise<void> {
  await see(place, 'GET', '/jobs');
  for (const name of place.pool.names.all) {
    await see(place, 'GET', '/jobs/{name}', { name });
    await see(place, 'POST', '/jobs/{name}/runs', { name });
  }
  await see(place, 'GET', '/runs', {}, '?limit=5');
  await see(place, 'GET', '/actions', {}, '?limit=2');
  await settle(place);
}

const UNFINISHED = '?state=queued,running,retry_wait&limit=500';

/** Ends what would go on for ever, so that there is room for more of it. */
export async function tidy(place: Place): Promise<void> {
  const ended: string[] = [];
  for (const name of place.pool.names.all) {
    const { backfills = [] } = await see(place, 'GET', '/jobs/{name}/backfills', { name });
    for (const { id, state } of backfills) {
      if (state === 'running')
        await see(place, 'DELETE', '/jobs/{name}/backfills/{id}', { name, id });
    }
    await see(place, 'DELETE', '/jobs/{name}/pause', { name });
    const { runs = [] } = await see(place, 'GET', '/jobs/{name}/runs', { name }, UNFINISHED);
    for (const { id, state } of runs) {
      if (!HOLDING.has(name) && state === 'running') continue;
      await see(place, 'POST', '/runs/{id}/cancel', { id });
      ended.push(id);
    }
  }
  await settle(place);
  for (const id of ended.slice(-20)) await see(place, 'GET', '/runs/{id}', { id });
}

/** Waits until nothing goes on, and notes what there is then; false where it does not end. */
export async function settle(place: Place): Promise<boolean> {
  const { records } = place;
  const isSettled = await records.settled();
  const version = records.version();
  place.known = { version, sketch: records.sketch() };
  return isSettled;
}
