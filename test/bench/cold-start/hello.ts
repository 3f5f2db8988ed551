import express from 'express';

/**
 * A bare Express that says hello: what any service of this kind takes to start. With `firestore`, one
 * that also brings the client, and reads one document before it answers.
 */
const app = express();
const read =
  process.argv[2] === 'firestore'
    ? await import('@google-cloud/firestore').then(({ Firestore }) => {
        const firestore = new Firestore({ projectId: process.env['GOOGLE_CLOUD_PROJECT'] ?? '' });
        return () => firestore.doc('hello/world').get();
      })
    : () => Promise.resolve();
app.use(async (_req, res) => {
  await read();
  res.send('hello');
});
const server = app.listen(Number(process.env['PORT']), '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  process.stdout.write(`at http://127.0.0.1:${port} now\n`);
});
// By itself a signal ends a process without its exit, at which the compile cache is written.
process.on('SIGTERM', () => process.exit(0));
