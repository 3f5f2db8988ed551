import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import grpc from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../server/process/clock.ts';
import { missingIndexes } from '../../server/stores/firestore-indexes.ts';
import { Rpc } from '../../server/stores/firestore-rpc.ts';
import { emulator, newProject, writeByHand } from '../firestore/fixture.ts';
import { listen } from '../grpc.ts';
import { tempFolder } from '../process/server.ts';
import { fakeScheduler } from '../triggers/fake-scheduler.ts';
import { apply, DAILY, doctor, FIRESTORE, found, GOOGLE, jobsModule, serve } from './examined.ts';

describe.skipIf(emulator === null)('on the emulator', () => {
  test('a whole deployment is well by its app.yaml; each drift of its triggers is told', async () => {
    const fake = await fakeScheduler();
    const namespace = newProject();
    const yaml = join(tempFolder(), 'app.yaml');
    const jobs = jobsModule({ ...DAILY, name: namespace });
    const own = { ...jobs, PUNCTUAL_NAMESPACE: namespace };
    const variables = [
      'runtime: nodejs24',
      'env_variables:',
      '  # A comment.',
      `  PUNCTUAL_LOCATION: ${GOOGLE.PUNCTUAL_LOCATION} # the region`,
      `  PUNCTUAL_SERVICE_URL: '${GOOGLE.PUNCTUAL_SERVICE_URL}'`,
      `  PUNCTUAL_SCHEDULER_ACCOUNT: "${GOOGLE.PUNCTUAL_SCHEDULER_ACCOUNT}"`,
      `  PUNCTUAL_NAMESPACE: ${namespace}`,
      'inbound_services:',
      '  - warmup',
    ];
    writeFileSync(yaml, variables.join('\n'));
    const base = { ...own, ...FIRESTORE, GOOGLE_CLOUD_PROJECT: 'shop' };
    await serve({ ...base, PUNCTUAL_WAKE: 'tick' });
    await apply(fake, { ...base, ...GOOGLE, PUNCTUAL_WAKE: 'tick' });
    const env = {
      ...jobs,
      FIRESTORE_EMULATOR_HOST: emulator ?? '',
      GOOGLE_CLOUD_PROJECT: 'shop',
      PUNCTUAL_SCHEDULER_ENDPOINT: fake.address,
    };
    const tick = fake.jobs.get(`punctual-${namespace}-tick`)!;

    const well = await doctor(env, '--app-yaml', yaml);
    Object.assign(tick, { schedule: '*/5 * * * *' });
    const slower = await found(env, '--app-yaml', yaml);
    Object.assign(tick, { schedule: '* * * * *', state: 'PAUSED' });
    const paused = await found(env, '--app-yaml', yaml);
    Object.assign(tick, { state: 'ENABLED', description: 'mine' });
    const foreign = await found(env, '--app-yaml', yaml);
    fake.jobs.clear();
    const gone = await found(env, '--app-yaml', yaml);

    expect([well.status, well.err]).toEqual([0, '']);
    expect(well.out).toContain('settings      store firestore, woken by triggers only');
    expect(well.out).toMatch(/store {9}Firestore, project shop, [^✓]*first read took \d+ ms$/m);
    expect(well.out).toContain("clock         this machine's agrees with the store's");
    expect(well.out).toContain('– skip  indexes       an emulator answers without them');
    expect(well.out).toContain(`tick          punctual-${namespace}-tick comes each minute`);
    expect(well.out).toContain('scheduler     in step: wanted are the tick and 0 triggers');
    expect(slower.lines).toEqual([
      expect.stringContaining(`bad scheduler: 1 step behind: update punctual-${namespace}-tick`),
    ]);
    expect(paused.lines[0]).toContain(`bad tick: punctual-${namespace}-tick is paused`);
    expect(foreign.lines[0]).toContain("is somebody else's → delete or rename it");
    expect(gone.lines[0]).toContain('bad tick: there is no Cloud Scheduler job punctual-');
    expect(gone.lines[0]).toContain('npm run scheduler:sync');
    expect(gone.status).toBe(1);
  });

  test('a place that Cloud Scheduler does not know is told', async () => {
    const fake = await fakeScheduler();
    const env = { ...jobsModule(DAILY), ...FIRESTORE, ...GOOGLE, PUNCTUAL_WAKE: 'tick' };
    const place = { PUNCTUAL_LOCATION: 'europe-west9', GOOGLE_CLOUD_PROJECT: newProject() };

    const { lines } = await found({
      ...env,
      ...place,
      PUNCTUAL_SCHEDULER_ENDPOINT: fake.address,
    });

    expect(lines.at(-1)).toContain('bad scheduler: there is no europe-west9 in');
  });

  test('a project where nothing is on record may be the wrong one', async () => {
    const env = { ...jobsModule(DAILY), ...FIRESTORE, GOOGLE_CLOUD_PROJECT: newProject() };

    const { status, lines } = await found(env);

    expect(status).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(
        /^warn records: no job of namespace default is on record, in project p\w+ → start the serv/,
      ),
    ]);
  });

  test("a job's name that another namespace has is told", async () => {
    const env = { ...jobsModule(DAILY), ...FIRESTORE, GOOGLE_CLOUD_PROJECT: newProject() };
    await serve(env);

    const { lines } = await found({ ...env, PUNCTUAL_NAMESPACE: 'second' });

    expect(lines[0]).toContain(
      'bad records: job "report" is of namespace default → give it another',
    );
  });

  test("a machine whose clock is wrong is told by how much, by the store's", async () => {
    const env = { ...jobsModule(DAILY), ...FIRESTORE, GOOGLE_CLOUD_PROJECT: newProject() };
    await serve(env);
    // The process believes that it is a minute later than it is.
    const shift =
      'const Real = Date; globalThis.Date = class extends Real { ' +
      'constructor(...given) { super(...(given.length > 0 ? given : [Real.now() + 60000])); } ' +
      'static now() { return Real.now() + 60000; } };';
    const ahead = { NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(shift)}"` };

    const { status, lines } = await found({ ...env, ...ahead });

    expect(status).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(
        /^warn clock: this machine's is (?:1 min|[45]\d s) ahead of the store's → /,
      ),
    ]);
  });

  test('a service that nobody woke for long is told', async () => {
    const project = newProject();
    const env = { ...jobsModule(DAILY), ...FIRESTORE, GOOGLE_CLOUD_PROJECT: project };
    await serve(env);
    const at = Date.now() - 3_600_000;
    const seen = { builds: { one: { firstSeenAt: at, lastSeenAt: at } }, jobs: {}, checkedAt: at };
    const meta = { value: JSON.stringify(seen), rev: 1 };
    await writeByHand(project, 'meta/registry:default', meta);

    const { lines } = await found(env);

    expect(lines).toEqual([
      'warn awake: a server of build one was last noted 1 h ago → start the service: nothing is ' +
        'decided while none runs',
    ]);
  });
});

test('an index that Firestore has not is named; those that it has are not', async () => {
  const address = await firestoreWithout(['job', 'state']);
  const place = { project: 'shop', database: '(default)', emulator: address, callMs: 5000 };
  const rpc = new Rpc(place, systemClock);

  const missing = await missingIndexes(rpc);

  expect(missing).toEqual([
    {
      index: 'runs by job, state',
      why:
        'Firestore has no index for a query: deploy firestore.indexes.json (The query requires an ' +
        'index.)',
    },
  ]);
  await rpc.close();
});

/** Plays a Firestore that is empty and lacks the index of queries with just these filters. */
async function firestoreWithout(fields: readonly string[]): Promise<string> {
  const protos = '../../node_modules/@google-cloud/firestore/build/protos/v1.json';
  const json = JSON.parse(readFileSync(new URL(protos, import.meta.url), 'utf8'));
  const options = { longs: String, enums: String, oneofs: true, defaults: false };
  const loaded: any = grpc.loadPackageDefinition(fromJSON(json, options));
  const server = new grpc.Server();
  server.addService(loaded.google.firestore.v1.Firestore.service, {
    runQuery(call: grpc.ServerWritableStream<any, unknown>) {
      const { filters } = call.request.structuredQuery.where.compositeFilter;
      const asked = filters.map(({ fieldFilter }: any) => fieldFilter.field.fieldPath);
      if (JSON.stringify(asked) !== JSON.stringify(fields)) {
        call.write({ readTime: { seconds: '1', nanos: 0 } });
        call.end();
        return;
      }
      const details = 'The query requires an index.';
      const code = grpc.status.FAILED_PRECONDITION;
      call.emit('error', Object.assign(new Error(details), { code, details }));
    },
  });
  return await listen(server);
}
