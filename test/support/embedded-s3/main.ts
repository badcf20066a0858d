// The embedded S3 as its own process, for setups of several processes. Ends with its parent.

import { startEmbeddedS3 } from './server.ts';

const {
  DIRECTORY,
  PORT,
  BUCKET = 'images',
  AWS_REGION,
  AWS_ACCESS_KEY_ID,
  AWS_SECRET_ACCESS_KEY,
} = process.env;
if (!DIRECTORY || !AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY || !process.send) {
  console.error('usage: forked with DIRECTORY, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and an IPC channel');
  process.exit(1);
}
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => undefined);

const { port, url } = await startEmbeddedS3({
  directory: DIRECTORY,
  buckets: [BUCKET],
  credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
  ...(AWS_REGION ? { region: AWS_REGION } : {}),
  port: Number(PORT ?? 0),
});
process.send({ port, url });
