import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../process/server.ts';
import { call } from './call.ts';

/** What is deployed, and the pages that say how. */

const ROOT = resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const { scripts, engines } = JSON.parse(read('package.json'));
const variables = [...read('.env.example').matchAll(/^(\w+)=/gm)].map(([, name]) => name);
const pages = readdirSync(join(ROOT, 'docs')).filter((file) => /^deploy.*\.md$/.test(file));

/** Those that the service needs at run time, and those that it does not. */
const NEEDED = ['server', 'views', 'jobs', 'scripts', 'package.json', 'firestore.indexes.json'];
const NOT_NEEDED = ['node_modules', '.data', '.compile-cache', 'test', '.env', '.git', 'docs'];

describe.each(pages)('docs/%s', (page) => {
  const text = read(`docs/${page}`);

  test('names only scripts that there are', () => {
    const named = [...text.matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, name = '']) => name);

    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
    expect(named).toContain('doctor');
  });

  test('names only variables that there are', () => {
    const named = [...text.matchAll(/\b(?:PUNCTUAL_|GOOGLE_CLOUD_|FIRESTORE_)[A-Z_]+\b/g)];

    expect(named.filter(([name]) => !variables.includes(name))).toEqual([]);
    expect(named.length).toBeGreaterThan(5);
  });

  test('links to headings and files that there are', () => {
    const links = [...text.matchAll(/\]\((?!http)([^)#]*)(?:#([^)]*))?\)/g)];
    const dead = links.filter(([, file = '', anchor]) => {
      const path = file === '' ? page : file;
      if (!existsSync(join(ROOT, 'docs', path))) return true;
      return anchor !== undefined && !anchorsOf(read(`docs/${path}`)).includes(anchor);
    });

    expect(dead.map(([link]) => link)).toEqual([]);
  });

  test('has commands that a shell can read', () => {
    const blocks = [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block);

    for (const input of blocks) execFileSync('bash', ['-n'], { input });

    expect(blocks.length).toBeGreaterThan(5);
  });
});

const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );

test('the settings of docs/deploy.md get into app.yaml, and the doctor finds them well', () => {
  const cwd = tempFolder();
  copyFileSync(join(ROOT, 'app.yaml'), join(cwd, 'app.yaml'));
  const fill = [...read('docs/deploy.md').matchAll(/^for name in [^\n]*\n {2}sed .*?^done$/gms)];
  const settings = {
    PUNCTUAL_LOCATION: 'europe-west1',
    PUNCTUAL_SERVICE_URL: 'https://shop.ew.r.appspot.com',
    PUNCTUAL_SCHEDULER_ACCOUNT: 'punctual-ticker@shop.iam.gserviceaccount.com',
    PUNCTUAL_TASKS_ACCOUNT: 'punctual-tasks@shop.iam.gserviceaccount.com',
    PUNCTUAL_TASKS_QUEUE: 'punctual',
  };

  for (const [loop] of fill) {
    const env = { PATH: process.env['PATH'], ...settings };
    execFileSync('bash', ['-ec', loop], { cwd, env });
  }

  const filled = readFileSync(join(cwd, 'app.yaml'), 'utf8');
  const lines = Object.entries(settings).map(([name, value]) => `  ${name}: ${value}`);
  expect(filled.split('\n').filter((line) => /^ {2}PUNCTUAL_(?!LOG)/.test(line))).toEqual(
    expect.arrayContaining(lines),
  );
  const words = ['--app-yaml', join(cwd, 'app.yaml'), '--offline'];
  const { status, out } = call('doctor.ts', words, { GOOGLE_CLOUD_PROJECT: 'shop' });
  expect(out).not.toMatch(/bad|warn/);
  expect(status).toBe(0);
});

test.each(['11', '12'])('who is let in by its step %s gets into app.yaml as well', (step) => {
  const cwd = tempFolder();
  copyFileSync(join(ROOT, 'app.yaml'), join(cwd, 'app.yaml'));
  const page = read('docs/deploy.md');
  const part = page.slice(
    page.indexOf(`\n## ${step}. `),
    page.indexOf(`\n## ${Number(step) + 1}. `),
  );
  const helper = /^setting\(\) \{.*$/m.exec(page)?.[0] ?? '';
  const lines = part.split('\n').filter((line) => /^setting [A-Z]/.test(line));
  const account = 'account() { echo "$1@shop.iam.gserviceaccount.com"; }';
  const env = { PATH: process.env['PATH'], number: '123', GOOGLE_CLOUD_PROJECT: 'shop' };

  execFileSync('bash', ['-ec', [account, helper, ...lines].join('\n')], { cwd, env });

  const words = ['--app-yaml', join(cwd, 'app.yaml'), '--offline', '--json'];
  const { out } = call('doctor.ts', words, {
    PUNCTUAL_SERVICE_URL: 'https://shop.ew.r.appspot.com',
  });
  expect(out).toContain(
    step === '11' ? 'the accounts of Google that are named' : 'those whom Ident',
  );
  expect(out).toContain('those who have a token');
});

describe('what is deployed', () => {
  test('is one Node everywhere, and a command that needs no development package', () => {
    const yaml = read('app.yaml');
    const dockerfile = read('Dockerfile');
    const major = /^runtime: nodejs(\d+)$/m.exec(yaml)?.[1];

    expect(dockerfile.match(/^FROM node:\d+/gm)).toEqual([
      `FROM node:${major}`,
      `FROM node:${major}`,
    ]);
    expect(engines.node).toBe(`>=${major}`);
    expect(scripts.start).toMatch(/exec node server\/start\.js$/);
    expect(yaml).toContain('\nentrypoint: node server/start.js\n');
    expect(dockerfile).toContain('\nCMD ["node", "server/start.js"]\n');
  });

  test('is compiled ahead by its build, and by the Node that is to run it', () => {
    const bake = 'node scripts/compile-cache.ts';
    const lines = read('Dockerfile').split('\n');

    expect(scripts['gcp-build']).toBe(bake);
    expect(scripts['compile-cache']).toBe(bake);
    // Else the package `node` is installed, and comes first in the path of a script.
    expect(read('app.yaml')).toContain('\nbuild_env_variables:\n  NODE_ENV: production\n');
    expect(lines.indexOf(`RUN ${bake}`)).toBeGreaterThan(lines.indexOf('USER node'));
    expect(lines.indexOf(`RUN ${bake}`)).toBeGreaterThan(
      lines.findLastIndex((line) => line.startsWith('COPY')),
    );
  });

  test('names only variables that there are in app.yaml', () => {
    const named = [...read('app.yaml').matchAll(/\bPUNCTUAL_[A-Z_]+\b/g)].map(([name]) => name);

    expect(named.filter((name) => !variables.includes(name))).toEqual([]);
  });

  test('is an image of what the service needs, and no more, under a user without rights', () => {
    const lines = read('Dockerfile').split('\n');
    const copied = lines
      .filter((line) => line.startsWith('COPY') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1));

    expect(NEEDED.filter((name) => !copied.includes(name))).toEqual([]);
    expect(NOT_NEEDED.filter((name) => copied.includes(name) || copied.includes('.'))).toEqual([]);
    expect(copied.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
    const asUser = lines.slice(lines.indexOf('USER node'));
    expect(asUser.filter((line) => line.startsWith('RUN'))).toEqual([
      'RUN node scripts/compile-cache.ts',
    ]);
  });

  test('is uploaded without tests, data, packages and secrets', () => {
    const ignored = read('.gcloudignore').split('\n');
    const uploaded = [...NEEDED, 'package-lock.json', '.npmrc', 'app.yaml', 'Dockerfile'];

    expect(NOT_NEEDED.filter((name) => !ignored.includes(name))).toEqual([]);
    expect(uploaded.filter((name) => ignored.includes(name))).toEqual([]);
  });
});
