import { randomFillSync } from 'node:crypto';

/** Each call of the system's source takes some microseconds, however few bytes it is for. */
const pool = new Uint8Array(4096);
let used = pool.length;

/** One random byte, which nobody can foresee. */
export function randomByte(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const byte = pool[used] ?? 0;
  // What was given out is nowhere any more.
  pool[used] = 0;
  used += 1;
  return byte;
}

/** From 0 up to 1, in steps of 2⁻⁴⁸. */
export function randomFraction(): number {
  let value = 0;
  for (let i = 0; i < 6; i += 1) value = (value + randomByte()) / 256;
  return value;
}
