import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

/** The rules of the house that a program can check. */

const ROOT = resolve(import.meta.dirname, '..');
const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
});
const files = tracked.trim().split('\n');
const code = files.filter((file) => /^(?:server|jobs|views|scripts|test)\/.*\.[jt]s$/.test(file));
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

interface Import {
  readonly from: string;
  readonly typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const statements = read(file).matchAll(
    /^(?:import|export) (type )?[^;]*?from '([^']+)';|^import '([^']+)';|import\('([^']+)'\)/gms,
  );
  return [...statements].map(([, type, named = '', bare = '', dynamic = '']) => ({
    from: named || bare || dynamic,
    typeOnly: type !== undefined,
  }));
}

/** The folder that an import leads into: `core`, `http`, a package's name. */
function target(file: string, { from }: Import): string {
  if (!from.startsWith('.')) return from;
  const path = resolve(ROOT, dirname(file), from).slice(ROOT.length + 1);
  return path.replace(/^server\//, '').split('/')[0] ?? '';
}

function violations(under: string, allowed: (to: string, found: Import) => boolean): string[] {
  return code
    .filter((file) => file.startsWith(under))
    .flatMap((file) =>
      importsOf(file)
        .filter((found) => !allowed(target(file, found), found))
        .map(({ from }) => `${file} imports ${from}`),
    );
}

describe('imports', () => {
  test('the core imports the core, and cron-parser in cron-fields.ts alone', () => {
    const found = violations(
      'server/core/',
      (to, { typeOnly }) =>
        ['core', 'node:crypto', 'node:async_hooks', 'node:module'].includes(to) ||
        (to === '@standard-schema/spec' && typeOnly) ||
        to === 'cron-parser',
    );
    const cron = code.filter((file) => importsOf(file).some(({ from }) => from === 'cron-parser'));

    expect(found).toEqual([]);
    expect(cron.filter((file) => file.startsWith('server/'))).toEqual([
      'server/core/cron-fields.ts',
    ]);
  });

  test('the core reads no clock, no environment and no process', () => {
    const forbidden = /\bDate\.now\b|\bnew Date\(\)|\bprocess\.|\bMath\.random\b|\bsetTimeout\(/;
    const found = code.filter(
      (file) => file.startsWith('server/core/') && forbidden.test(read(file)),
    );

    expect(found).toEqual([]);
  });

  test('views import views, and types of the core', () => {
    const found = violations(
      'views/',
      (to, { typeOnly, from }) =>
        to === 'views' ||
        to === 'cronstrue' ||
        (to === 'core' && (typeOnly || /(?:schedule|time|run|run-filter|unseen)\.ts$/.test(from))),
    );

    expect(found).toEqual([]);
  });

  test('each vendor package is imported in one folder, and where jobs need it', () => {
    const homes = new Map<string, Set<string>>();
    for (const file of code.filter((one) => !/^(?:test|jobs)\//.test(one))) {
      for (const found of importsOf(file).filter(({ typeOnly }) => !typeOnly)) {
        if (found.from.startsWith('.') || found.from.startsWith('node:')) continue;
        const home = file.replace(/^server\//, '').split('/')[0] ?? '';
        homes.set(found.from, (homes.get(found.from) ?? new Set()).add(home));
      }
    }
    // express makes the app, and the routers that it is made of.
    homes.delete('express');

    expect([...homes].filter(([, folders]) => folders.size > 1)).toEqual([]);
  });
});

describe('files', () => {
  test('are short enough to be read: 400 lines, 100 columns', () => {
    const sheets = files.filter((file) => file.endsWith('.css'));
    const long = [...code, ...sheets].filter((file) => read(file).split('\n').length > 401);
    const wide = code.filter((file) =>
      read(file)
        .split('\n')
        .some((line) => line.length > 100),
    );

    expect({ long, wide: wide.filter((file) => !file.startsWith('test/')) }).toEqual({
      long: [],
      wide: [],
    });
  });

  test('stand where the design has a place for them', () => {
    const agreed =
      /^(?:server|jobs|views|scripts|test|docs)\/|^(?:package(?:-lock)?\.json|tsconfig\.json|app\.yaml|README\.md|LICENSE|SECURITY\.md|CHANGELOG\.md|Dockerfile|firestore\.indexes\.json|vitest\.config\.ts)$|^\./;

    expect(files.filter((file) => !agreed.test(file))).toEqual([]);
  });

  test('use no escape from the type checker', () => {
    const forbidden = /\bas any\b|: any\b|@ts-ignore|@ts-expect-error|@ts-nocheck/;
    const product = code.filter((file) => !file.startsWith('test/'));

    expect(product.filter((file) => forbidden.test(read(file)))).toEqual([]);
  });

  test('the lock file names no registry', () => {
    expect(read('package-lock.json')).not.toContain('"resolved"');
    expect(read('.npmrc')).toContain('omit-lockfile-registry-resolved=true');
  });

  test('versions are exact', () => {
    const {
      dependencies,
      devDependencies,
    }: Record<string, Record<string, string>> = JSON.parse(read('package.json'));
    const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
    );

    expect(loose).toEqual([]);
  });

  test('every variable that is read is documented', () => {
    const readers = ['config', 'config-access', 'config-alerts'];
    const code = readers.map((name) => read(`server/${name}.ts`)).join('');
    const named = [...code.matchAll(/'((?:PUNCTUAL_\w+)|PORT|HOST)'/g)]
      .map(([, name = '']) => name)
      .filter((name) => !['PUNCTUAL_URL', 'PUNCTUAL_RUN_ID', 'PUNCTUAL_FENCE'].includes(name));
    const example = read('.env.example');

    expect(named.filter((name) => !example.includes(`\n${name}=`))).toEqual([]);
    expect(statSync(join(ROOT, '.ci/run')).mode & 0o111).not.toBe(0);
  });
});
