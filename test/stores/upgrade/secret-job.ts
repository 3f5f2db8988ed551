import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { defineJob } from '../../../server/core/job.ts';
// A version that has none of this keeps no secret: then there is no such job.
import '../../../server/core/secrets/cipher.ts';

const token = v.pipe(v.string(), v.metadata({ secret: true }));

export const secretJob = defineJob({
  name: 'secretive',
  input: toStandardJsonSchema(v.object({ token, name: v.string() })),
  run: ({ input, log }) => {
    log(`${input.name} has ${input.token}`);
    return { length: input.token.length };
  },
});
