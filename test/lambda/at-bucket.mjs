// Loaded before a program under test: its links to S3 lead to the embedded one, which is asked by the same Host header.

import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';

const { BUCKET_AT } = process.env;
const { fetch } = globalThis;

globalThis.fetch = (address, init = {}) => {
  const { hostname, host, origin } = new URL(address);
  return hostname.endsWith('.amazonaws.com')
    ? asked(address.replace(origin, BUCKET_AT), Object.assign({ host }, init.headers))
    : fetch(address, init);
};

async function asked(address, headers) {
  const answer = await new Promise((resolve, reject) => {
    request(address, { headers }, resolve).on('error', reject).end();
  });
  return new Response(await buffer(answer), { status: answer.statusCode });
}
