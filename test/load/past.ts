/*
 * Loaded into a server before anything of its own: it lives so many ms ago. Both its clocks say so,
 * as if the machine had been on ever since: only so is what comes later an outage of the service,
 * and not a jump of the clock, which would have to be waited out.
 */

const agoMs = Number(process.env['LOAD_AGO_MS']);
const { hrtime } = process;
const [now, monotonic] = [Date.now.bind(Date), hrtime.bigint.bind(hrtime)];

Date.now = () => now() - agoMs;
hrtime.bigint = () => monotonic() - BigInt(agoMs) * 1_000_000n;
