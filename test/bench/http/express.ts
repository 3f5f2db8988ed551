import express from 'express';

/** A bare Express that reads a small JSON body, and answers a small JSON. */
const app = express();
app.use(express.json());
app.get('/jobs/:name', (req, res) => {
  res.json({ name: req.params.name, state: 'idle' });
});
app.post('/jobs/:name/runs', (req, res) => {
  const body: unknown = req.body;
  res.status(202).json({ job: req.params.name, state: 'running', ...Object(body) });
});
const server = app.listen(Number(process.env['PORT']), '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  process.stdout.write(`at http://127.0.0.1:${port} now\n`);
});
// By itself a signal ends a process without its exit, at which a profile is written.
process.on('SIGTERM', () => process.exit(0));
