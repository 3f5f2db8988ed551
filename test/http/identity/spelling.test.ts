import { Agent, request } from 'node:http';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { RULES, type Right, type Rule } from '../../../server/http/rules.ts';
import { Random } from '../../simulation/random.ts';
import { TEST_START } from '../../test-clock.ts';
import { FROM_PAGE } from '../client.ts';
import { ACCOUNTS, SCHEDULER, TASKS, THROUGH_PROXY, type Headers } from '../triggering.ts';
import { googleToken, openTo, tokenIn } from './callers.ts';
import { listenOnRoutes } from './routes.ts';

/** However a path is written, the table of rules and the router mean the same route by it. */

// The library that checks Google's tokens reads the clock itself.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: TEST_START }));
afterEach(() => void vi.useRealTimers());

const REQUESTS = 1800;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'];
/** What means something to one who reads an address, and perhaps not to another. */
const ODD = String.raw`/ // \ . .. /./ /../ ; ;a=b # ? ?a=/ * : @ % %2f %2F %5c %2e%2e %252f %00 %20
  %zz %c0%af %3f %23 " ' < { | ~ + & _ - x`.split(/\s+/);
const NAMES = ['job', 'job!none', 'runs', 'row', 'log', 'tick'];

/** A rule's method and path, mostly, spelt in another way, or a path made of two. */
function oddRequest(random: Random): { readonly method: string; readonly path: string } {
  const named = ({ path }: Rule): string => path.replaceAll(/:\w+/g, () => random.pick(...NAMES));
  const rule = random.pick(...RULES);
  const [own, other] = [named(rule), named(random.pick(...RULES))];
  let path = random.chance(0.3) ? own + other.slice(random.below(other.length)) : own;
  for (let changes = random.below(4); changes > 0; changes--) {
    const at = random.below(path.length + 1);
    const [left, right] = [path.slice(0, at), path.slice(random.chance(0.3) ? at + 1 : at)];
    path = random.pick(
      left + random.pick(...ODD) + right,
      left.toUpperCase() + right,
      left + right.replaceAll('/', random.pick('\\', '%2f', '//')),
      path + random.pick('/', '/', '.', '?', '#', '%2f', '/x'),
    );
  }
  const method = random.chance(0.6) ? rule.method : random.pick(...METHODS);
  return { method, path: path.startsWith('/') ? path : `/${path}` };
}

const WHO: Readonly<Record<string, { readonly may: readonly Right[]; readonly pages: boolean }>> = {
  limited: { may: ['anyone', 'operator', 'viewer'], pages: false },
  nobody: { may: ['anyone'], pages: true },
  operator: { may: ['anyone', 'operator', 'viewer'], pages: true },
  scheduler: { may: ['anyone', 'wake'], pages: true },
  tasks: { may: ['anyone', 'run'], pages: true },
  viewer: { may: ['anyone', 'viewer'], pages: true },
};

const mayUse = (who: string, { right, surface }: Rule): boolean => {
  const { may = [], pages = false } = WHO[who] ?? {};
  return may.includes(right) && (pages || surface === 'api' || surface === 'open');
};

async function opened() {
  const { app, ask, url, service } = await openTo('machine', {
    ...ACCOUNTS,
    // This machine itself, unseen behind a proxy, loads all routes.
    PUNCTUAL_AUTH: 'loopback,tokens',
    PUNCTUAL_TRIGGERS_PER_SECOND: '0',
  });
  const token = async (name: string, role: 'viewer' | 'operator', jobs: string[] | null) =>
    (await tokenIn(service.store, { name, role, jobs })).bearer;
  const headers: Readonly<Record<string, Headers>> = {
    nobody: {},
    viewer: await token('bob', 'viewer', null),
    limited: await token('ci', 'operator', ['job']),
    scheduler: googleToken(SCHEDULER),
    tasks: googleToken(TASKS),
    operator: await token('ada', 'operator', null),
  };
  const served: { who: string; target: string; rules: Rule[] }[] = [];
  await listenOnRoutes(app, ask, (paths, { method, originalUrl, headers: sent }) => {
    const asked = method === 'HEAD' ? 'GET' : method;
    const rules = RULES.filter((rule) => rule.method === asked && paths.includes(rule.path));
    served.push({ who: String(sent['x-who']), target: `${method} ${originalUrl}`, rules });
  });
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const send = (who: string, how: ReturnType<typeof oddRequest>) =>
    new Promise<number>((resolve, reject) => {
      const sent = { ...FROM_PAGE, ...THROUGH_PROXY, ...headers[who], 'X-Who': who };
      const asking = request(url, { ...how, agent, headers: sent }, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0)).on('error', reject);
      });
      asking.on('error', reject).end();
    });
  return { send, served };
}

test('nobody comes by any spelling to a route that is not theirs', async () => {
  const { send, served } = await opened();
  const random = new Random('spelling');
  let failed = 0;

  for (let i = 0; i < REQUESTS; i++) {
    const status = await send(random.pick(...Object.keys(WHO)), oddRequest(random));
    if (status >= 500) failed += 1;
  }

  const wrong = served.filter(({ who, rules }) => !rules.some((rule) => mayUse(who, rule)));
  const rights = new Set(served.map(({ who, rules }) => `${who}: ${rules[0]?.right}`));
  expect([wrong, failed]).toEqual([[], 0]);
  // So that it is about something: whoever may come somewhere came there.
  expect(served.length).toBeGreaterThan(REQUESTS / 20);
  expect([...rights].toSorted()).toEqual(
    Object.entries(WHO).flatMap(([who, { may }]) => may.map((right) => `${who}: ${right}`)),
  );
}, 30_000);

test('no path and method has two rules', () => {
  const fits = (one: string, other: string): boolean => {
    const [parts, others] = [one.split('/'), other.split('/')];
    const isSame = (part: string, i: number): boolean =>
      part === others[i] || part.startsWith(':') || others[i]?.startsWith(':') === true;
    return parts.length === others.length && parts.every(isSame);
  };

  const double = RULES.filter((rule) =>
    RULES.some((one) => one !== rule && one.method === rule.method && fits(one.path, rule.path)),
  );

  expect(double).toEqual([]);
});
