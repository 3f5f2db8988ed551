/** A bare Node: what any process takes that only stays alive. */
process.stdout.write('at http://nowhere now\n');
setInterval(() => undefined, 2 ** 30);
process.on('SIGTERM', () => process.exit(0));
