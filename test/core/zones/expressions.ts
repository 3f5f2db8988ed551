/**
 * Cron expressions chosen to hurt. In each zone one or the other meets the hour that the clock
 * jumps over or shows twice; `FIXED` says which zones the odd hours are for.
 */

/** Fixed times: neither the minute nor the hour begins with a star. */
const FIXED = [
  // Most of America and Australia jump from 2 to 3, and back from 2 to 1.
  '0 2 * * *',
  '30 2 * * *',
  '59 2 * * *',
  '15,45 2 * * *',
  '0 3 * * *',
  '59 1 * * *',
  '0 2,3 * * *',
  '30 1-3 * * *',
  '0 1 * * *',
  '30 1 * * *',
  '15,45 1 * * *',
  '5-55/10 1,2 * * *',
  '30 0/1 * * *',
  '0-59 2 * * *',
  '1/2 1-3 * * *',
  // Cairo, Beirut, Gaza, Havana, Asuncion, Santiago and the Azores jump at or over midnight,
  // Nuuk just before it, and many of them show the last hour of a day twice.
  '0 0 * * *',
  '1 0 * * *',
  '30 0 * * *',
  '15 0,23 * * *',
  '30 23 * * *',
  '59 23 * * *',
  '0 22-23 * * *',
  '59 23 * * 6',
  '30 23,0,1 * * 0,5-6',
  // Lord Howe jumps over half an hour from 2:00, Chatham over an hour from 2:45, Casey from 0:01,
  // Troll over two hours from 1:00.
  '10,20,30,40 2 * * *',
  '29 2 * * *',
  '44,45,46 2,3 * * *',
  '0,59 1,2,3 * * *',
] as const;

/** Real time: the minute or the hour begins with a star. */
const REAL_TIME = [
  '* * * * *',
  '*/15 * * * *',
  '*/7 * * * *',
  '*/59 * * * *',
  '0 * * * *',
  '30 * * * *',
  '0 */2 * * *',
  '30 */2 * * *',
  '15,45 */3 * * *',
  '* 2 * * *',
  '*/15 2 * * *',
  '*/15 1 * * *',
  '* 1 * * *',
  '*/20 0,23 * * *',
  '5-10 */3 * * *',
  '*,5 0-3 * * *',
  '30 *,2 * * *',
] as const;

/** Days that are few, or that are named in two ways; the clocks of the world change on them. */
const DATES = [
  '0 0 L * *',
  '30 2 L * *',
  '0 12 31 * *',
  '0 0 29 2 *',
  '0 0 1 * *',
  '30 23 L,1 * *',
  '30 2 * * 0',
  '30 2 * * sun',
  '0 0 * * 7',
  '30 2 * * 5-7',
  '45 1 * * 0L',
  '0 0 * * 5L',
  '30 0 ? * 5L',
  '30 2 * 3 0#2',
  '0 2 * * 1#2',
  '30 1 * 11 sun#1,satL',
  '30 2 8-14 3 */7',
  '30 2 13 * 5',
  '0 2 25-31 mar,oct 0',
  '0 0 */2 * 1',
  '30 2 */2 * *',
  '30 2 1-7 4 *',
  '0 2 1-7 4,10,nov ?',
  '*/30 1-3 1-7,25-31 * 0',
] as const;

const MACROS = ['@hourly', '@daily', '@weekly', '@monthly', '@yearly'] as const;

export const EXPRESSIONS: readonly string[] = [...FIXED, ...REAL_TIME, ...DATES, ...MACROS];
