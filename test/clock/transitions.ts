/*
 * Hours in which a wall clock does something odd. Their instants are those that zdump of tzdata
 * prints (`zdump -v -c 2026,2027 America/New_York`); what the fixed times come to is by the rule of
 * Debian's cron (cron(8): what is left out runs once, right after the change; what is shown twice
 * runs the first time), worked out by hand. Everything in UTC.
 */

export interface Transition {
  readonly zone: string;
  /** What happens. */
  readonly what: string;
  /** When. */
  readonly at: string;
  /** A fixed time in the gap, in the repeated hour, or on the odd day. */
  readonly fixed: string;
  /** What occurs within two hours and a half of it, as `HH:MM`. */
  readonly occurs: {
    readonly fixed: string;
    /** `30 1 * * *` */
    readonly halfPastOne: string;
    /** `0 0 * * *`, and `@daily` too. */
    readonly midnight: string;
  };
  /** What the page of a schedule says of the fixed time; empty where no clock is changed. */
  readonly words: string;
}

export const TRANSITIONS: readonly Transition[] = [
  {
    zone: 'America/New_York',
    what: '02:00 becomes 03:00',
    at: '2026-03-08T07:00Z',
    fixed: '30 2 * * *',
    occurs: { fixed: '07:00', halfPastOne: '06:30', midnight: '05:00' },
    words: '8 March 2026: 02:30 does not exist, runs 03:00',
  },
  {
    zone: 'America/New_York',
    what: '02:00 becomes 01:00',
    at: '2026-11-01T06:00Z',
    fixed: '45 1 * * *',
    occurs: { fixed: '05:45', halfPastOne: '05:30', midnight: '04:00' },
    words: '1 November 2026: 01:45 comes twice, runs the first time',
  },
  {
    zone: 'Australia/Lord_Howe',
    what: '02:00 becomes 02:30',
    at: '2026-10-03T15:30Z',
    fixed: '15 2 * * *',
    occurs: { fixed: '15:30', halfPastOne: '15:00', midnight: '13:30' },
    words: '4 October 2026: 02:15 does not exist, runs 02:30',
  },
  {
    zone: 'Australia/Lord_Howe',
    what: '02:00 becomes 01:30',
    at: '2026-04-04T15:00Z',
    fixed: '45 1 * * *',
    occurs: { fixed: '14:45', halfPastOne: '14:30', midnight: '13:00' },
    words: '5 April 2026: 01:45 comes twice, runs the first time',
  },
  {
    zone: 'Pacific/Apia',
    what: 'the 29th is followed by the 31st',
    at: '2011-12-30T10:00Z',
    fixed: '0 12 * * *',
    // 01:30 of the 30th, which is left out, and of the 31st; midnight of both is one instant.
    occurs: { fixed: '10:00', halfPastOne: '10:00 11:30', midnight: '10:00' },
    words: '30 December 2011: 12:00 does not exist, runs 31 December 2011 00:00',
  },
  {
    zone: 'Europe/Dublin',
    what: '01:00 becomes 02:00, which is standard time there',
    at: '2026-03-29T01:00Z',
    fixed: '15 1 * * *',
    occurs: { fixed: '01:00', halfPastOne: '01:00', midnight: '00:00' },
    words: '29 March 2026: 01:15 does not exist, runs 02:00',
  },
  {
    zone: 'Europe/Dublin',
    what: '02:00 becomes 01:00',
    at: '2026-10-25T01:00Z',
    fixed: '15 1 * * *',
    occurs: { fixed: '00:15', halfPastOne: '00:30', midnight: '23:00' },
    words: '25 October 2026: 01:15 comes twice, runs the first time',
  },
  {
    zone: 'Pacific/Auckland',
    what: '29 February begins',
    at: '2028-02-28T11:00Z',
    fixed: '0 0 29 2 *',
    occurs: { fixed: '11:00', halfPastOne: '12:30', midnight: '11:00' },
    words: '',
  },
  {
    zone: 'Pacific/Auckland',
    what: '29 February ends',
    at: '2028-02-29T11:00Z',
    fixed: '59 23 L * *',
    occurs: { fixed: '10:59', halfPastOne: '12:30', midnight: '11:00' },
    words: '',
  },
  {
    zone: 'UTC',
    what: 'a year ends',
    at: '2027-01-01T00:00Z',
    fixed: '59 23 31 12 *',
    occurs: { fixed: '23:59', halfPastOne: '01:30', midnight: '00:00' },
    words: '',
  },
];
