/**
 * Who may use this service: tokens for programs, and for people who sign in with one.
 *
 *   npm run -s tokens -- add NAME --role viewer       looks at everything, changes nothing
 *   npm run -s tokens -- add NAME --role operator     starts, cancels and pauses, too
 *   npm run -s tokens -- add NAME --role operator --jobs nightly-report,check-urls
 *                                                     of these jobs alone, through /api/v1 alone
 *   npm run -s tokens -- list
 *   npm run -s tokens -- revoke NAME                  and all its sessions: within 5 s, or a minute
 *                                                     on Firestore
 *
 * The token is printed once, alone, and kept nowhere: put it where the program finds it as
 * PUNCTUAL_TOKEN. The store has only what it takes to recognise it. The service asks for tokens
 * where PUNCTUAL_AUTH says so.
 */
import { parseArgs } from 'node:util';
import type { Store } from '../server/core/store.ts';
import { isJobName } from '../server/core/ids.ts';
import { isoInstant } from '../server/core/time.ts';
import { makeToken } from '../server/http/identity/token-key.ts';
import { addToken, readTokens, revokeToken } from '../server/http/identity/token-list.ts';
import { newId } from '../server/process/identity.ts';
import { fail, openForScript, whoIsHere } from './open.ts';
import { table } from './table.ts';
import { BadUsage, one, oneOf, usageOf } from './usage.ts';

const NAME = /^[A-Za-z0-9][\w.@-]{0,62}$/;

type Words = readonly string[];
interface Options {
  readonly role?: string | undefined;
  readonly jobs?: string | undefined;
}
interface Where {
  readonly store: Store;
  readonly namespace: string;
}

const commands: Readonly<
  Record<string, (where: Where, words: Words, options: Options) => Promise<void>>
> = { add, list, revoke };

const { values, positionals } = readArguments();
const [verb = 'help', ...rest] = positionals;
const command = Object.hasOwn(commands, verb) ? commands[verb] : undefined;
if (values.help === true || command === undefined) {
  console.log(usageOf('tokens.ts'));
  process.exit(values.help === true || verb === 'help' ? 0 : 2);
}
try {
  const { config, store } = await openForScript({ mayMake: true });
  try {
    await command({ store, namespace: config.namespace }, rest, values);
  } finally {
    await store.close();
  }
} catch (error) {
  fail(error);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        role: { type: 'string' },
        jobs: { type: 'string' },
      },
    });
  } catch (error) {
    fail(error);
  }
}

async function add({ store, namespace }: Where, words: Words, options: Options): Promise<void> {
  const name = one(words, 'a name for the token');
  if (!NAME.test(name)) {
    throw new BadUsage(`"${name}" is no name: letters, digits, dots, hyphens, @ and _, 63 at most`);
  }
  const role = oneOf(options.role ?? '', 'role', ['viewer', 'operator'] as const);
  const jobs = options.jobs?.split(',').map((job) => job.trim()) ?? null;
  const wrong = jobs?.find((job) => !isJobName(job));
  if (wrong !== undefined) throw new BadUsage(`--jobs has "${wrong}", which is not a job name`);
  for (const job of jobs ?? []) {
    if ((await store.read(job)).version !== undefined) continue;
    console.error(`there is no job "${job}" in the store yet; the token is good for it once it is`);
  }
  const { text, key } = await makeToken();
  const problem = await addToken(store, namespace, { ...key, name, role, jobs, by: whoIsHere() });
  if (problem !== undefined) throw new BadUsage(problem);
  await note(store, 'add-token', { name, detail: `${role} of ${jobs?.join(', ') ?? 'all jobs'}` });
  console.error(`${name} is ${role} of ${jobs?.join(', ') ?? 'all jobs'}. Its token, shown once:`);
  console.log(text);
}

async function list({ store, namespace }: Where, words: Words): Promise<void> {
  if (words.length > 0) throw new BadUsage(`expected nothing more, got ${words.join(' ')}`);
  const rows = (await readTokens(store, namespace)).map(
    ({ name, role, jobs, createdAt, by, id }) => [
      name,
      role,
      isoInstant(createdAt),
      by ?? '-',
      `pun_${id}_…`,
      jobs?.join(' ') ?? 'all',
    ],
  );
  console.log(table(['NAME', 'ROLE', 'MADE', 'BY', 'BEGINS', 'JOBS'], rows));
}

async function revoke({ store, namespace }: Where, words: Words): Promise<void> {
  const name = one(words, 'the name of a token');
  if (!(await revokeToken(store, namespace, name))) {
    throw new BadUsage(`there is no token "${name}"; npm run -s tokens -- list shows them`);
  }
  await note(store, 'revoke-token', { name, detail: 'and all sessions that were signed in by it' });
  console.log(`${name} is revoked`);
}

async function note(
  store: Store,
  action: string,
  { name, detail }: { readonly name: string; readonly detail: string },
): Promise<void> {
  const { storeNow: at } = await store.time();
  const change =
    action === 'add-token' ? { before: null, after: name } : { before: name, after: null };
  await store.recordAction({
    id: newId(),
    at,
    by: whoIsHere(),
    action,
    job: null,
    runId: null,
    detail,
    ...change,
  });
}
