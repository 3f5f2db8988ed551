import { existsSync, readFileSync } from 'node:fs';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { defineJob, type Job, type JobContext } from '../../server/core/job.ts';
import type { Run } from '../../server/core/records.ts';
import { tempDb, type TestService } from '../service.ts';
import { json, serve, type Answer, type Ask } from './client.ts';

/** A job that takes secrets, and how to find them wherever they must not be. */

export const KEY = '5a'.repeat(32);
export const OTHER_KEY = 'c3'.repeat(32);
export const SECRET = 'Quetzal "zwölf" / Boxkämpfer?';
/** What the handler returns as a secret, and nobody gave it. */
export const ISSUED = 'Sphinx of black quartz';

const hidden = <Input>() => v.metadata<Input, { readonly secret: true }>({ secret: true });

const input = toStandardJsonSchema(
  v.object({
    target: v.string(),
    token: v.pipe(v.string(), v.minLength(8), hidden()),
    pin: v.optional(v.pipe(v.number(), v.integer(), v.maxValue(9999), hidden())),
    login: v.optional(v.object({ user: v.string(), password: v.pipe(v.string(), hidden()) })),
  }),
);
const output = toStandardJsonSchema(
  v.object({ target: v.string(), issued: v.pipe(v.string(), hidden()), seen: v.string() }),
);

/** Hands what it gets to `heard`, and says all that it must not in every way that it can. */
export const deploying = (
  heard: (context: JobContext<StandardSchemaV1.InferOutput<typeof input>>) => void,
): Job =>
  defineJob({
    name: 'deploy',
    retry: { attempts: 2, backoff: { from: '10s', jitter: 0 } },
    input,
    output,
    run(context) {
      heard(context);
      const { log, input: given, attempt, progress } = context;
      const { token } = given;
      log(`logging in as ${token}`, { headers: { authorization: `Bearer ${token}` } });
      log.warn(new URLSearchParams({ token }).toString(), { [token]: [token] });
      log.error(new Error(`no entry for ${token}`) as never);
      progress(1, 2);
      if (attempt === 1) {
        const cause = new Error(`at https://example.com/${encodeURIComponent(token)}`);
        throw new Error(`could not log in with ${token}`, { cause });
      }
      return { target: given.target, issued: ISSUED, seen: `${token} gave ${ISSUED}` };
    },
  });

/** Every form in which a secret is found in bytes: as text, in JSON, in URLs, in base64, in hex. */
function formsOf(secret: string): Buffer[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].flatMap((offset) =>
    (['base64', 'base64url'] as const).map((encoding) =>
      // What stands before and behind it changes the signs at its ends.
      Buffer.concat([Buffer.alloc(offset), bytes])
        .toString(encoding)
        .slice(4, -4),
    ),
  );
  const texts = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    encodeURI(secret),
    new URLSearchParams([['', secret]]).toString().slice(1),
    secret.replaceAll('"', '&quot;'),
    secret.replaceAll('"', '&#34;'),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...base64,
    // A part of it is too much as well.
    'Boxk',
    'Quetzal',
    'black quartz',
  ];
  return [...texts.map((text) => Buffer.from(text)), Buffer.from(secret, 'utf16le')];
}

const FORMS = [SECRET, ISSUED].flatMap(formsOf);

/** What of the secrets stands somewhere. */
export const tracesIn = (where: string | Buffer): string[] => {
  const bytes = Buffer.from(where);
  return FORMS.filter((form) => bytes.includes(form)).map(String);
};

/** What of the secrets is on the disk: in the database, and in what SQLite keeps beside it. */
export const tracesOnDisk = (db: string): string[] =>
  ['', '-wal', '-shm', '-journal']
    .map((suffix) => `${db}${suffix}`)
    .filter((file) => existsSync(file))
    .flatMap((file) => tracesIn(readFileSync(file)));

/** A service with that job, and a database on the disk. */
export interface Served {
  readonly service: TestService;
  readonly ask: Ask;
  readonly db: string;
  /** The inputs that the handler got, one an attempt. */
  readonly got: unknown[];
}

export async function serveDeploys({
  key = KEY,
  db = tempDb(),
}: { key?: string; db?: string } = {}): Promise<Served> {
  const got: unknown[] = [];
  const job = deploying(({ input }: JobContext) => got.push(input));
  const { service, ask } = await serve([job], { path: db, env: { PUNCTUAL_SECRET_KEY: key } });
  return { service, ask, db, got };
}

export const given = { target: 'shop', token: SECRET, login: { user: 'ada', password: SECRET } };
export const start = (ask: Ask, input: unknown, key?: string): Promise<Answer> =>
  ask(
    'POST',
    '/api/v1/jobs/deploy/runs',
    json({ input }, key === undefined ? {} : { 'Idempotency-Key': key }),
  );

/** Lets the first attempt fail, and the second one succeed. */
export async function finish({ service }: Served): Promise<Run> {
  await service.idle();
  await service.wake(new Date(service.clock.wall() + 11_000).toISOString().slice(11, 23));
  await service.idle();
  return await service.lastRun();
}
