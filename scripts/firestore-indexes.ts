/**
 * Prints the commands that make the indexes of firestore.indexes.json, for a shell to carry out:
 * those that queries need, and none on what no query asks for.
 *
 *   npm run -s firestore:indexes -- my-project | sh
 *   npm run -s firestore:indexes -- my-project my-database | sh
 */
import { parseArgs } from 'node:util';
import { readIndexFile } from '../server/stores/firestore-indexes.ts';
import { fail } from './open.ts';
import { BadUsage, usageOf } from './usage.ts';

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h', default: false } },
  });
  const [project, database = '(default)', more] = positionals;
  if (values.help || project === undefined) {
    console.log(usageOf('firestore-indexes.ts'));
    process.exitCode = values.help ? 0 : 2;
  } else if (more !== undefined) {
    throw new BadUsage(`expected a project and a database, got ${more} too`);
  } else {
    for (const command of commands(project, database)) console.log(command);
  }
} catch (error) {
  fail(error);
}

/** Each goes on by itself: making an index takes minutes, and they are made side by side. */
function commands(project: string, database: string): string[] {
  const { indexes, fieldOverrides } = readIndexFile();
  const where = `--project=${quoted(project)} --database=${quoted(database)} --async --quiet`;
  return [
    ...indexes.map(({ collectionGroup, fields }) => {
      const configs = fields.map(
        ({ fieldPath, order }) =>
          `--field-config=field-path=${fieldPath},order=${order.toLowerCase()}`,
      );
      const group = `--collection-group=${collectionGroup} --query-scope=COLLECTION`;
      return `gcloud firestore indexes composite create ${group} ${configs.join(' ')} ${where}`;
    }),
    ...fieldOverrides.map(
      ({ collectionGroup, fieldPath }) =>
        `gcloud firestore indexes fields update ${fieldPath} ` +
        `--collection-group=${collectionGroup} --disable-indexes ${where}`,
    ),
  ];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
