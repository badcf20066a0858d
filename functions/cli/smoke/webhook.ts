// A webhook, as far as this machine can observe one: sent to a receiver of this process if the API is on this machine, to
// --webhook-url if given, and else to the API itself, which the sender must try and refuse.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { sign } from '../../webhooks/sign.ts';
import { type Finding, lacking, ok } from '../doctor/check.ts';
import { objectOf, saidBy } from './ask.ts';
import { cancel, type Inputs, poll, type Smoke, submit, wanted } from './smoke.ts';

/** The sender of a deployment runs every minute. */
const LIMIT = 150_000;
const REFUSED = /an address of the service itself|not a public one/;

interface Delivery {
  id: string;
  job_id: string;
  status: string;
  attempts: number;
  last_error: string | null;
}

export async function webhookFinding(smoke: Smoke, inputs: Inputs): Promise<Finding> {
  if (smoke.webhookUrl !== undefined) {
    const { delivery, host } = await tell(smoke, inputs, smoke.webhookUrl);
    if (delivery.status === 'delivered') return ok(`${host} took it`);
    throw lacking(
      `${host} did not take it: ${delivery.last_error}`,
      'mend that receiver, or name another with --webhook-url',
    );
  }
  if (isLoopback(smoke.url) && (await takesPlainHttp(smoke))) return toOurselves(smoke, inputs);
  const { delivery, host } = await tell(smoke, inputs, `https://${new URL(smoke.url).host}/`);
  if (delivery.status === 'delivered' || !REFUSED.test(delivery.last_error ?? ''))
    throw lacking(
      `one to ${host}, which is the API itself, was not refused: ${delivery.last_error ?? delivery.status}`,
      'npm run doctor',
    );
  return ok('sent, and refused since it went to the API itself (--webhook-url https://… has one delivered)');
}

/** Receives the webhook in this process, and verifies its signature. */
async function toOurselves(smoke: Smoke, inputs: Inputs): Promise<Finding> {
  const { body } = wanted(await smoke.ask('/api/webhooks/secret'), 200, 'GET /api/webhooks/secret');
  const heard: { headers: NodeJS.Dict<string | string[]>; text: string }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((said) => {
      heard.push({ headers: request.headers, text: said });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { delivery, jobId } = await tell(smoke, inputs, address);
    const mine = heard.find(
      (one) => (objectOf(Buffer.from(one.text))['data'] as { job_id?: string })?.job_id === jobId,
    );
    if (!mine || delivery.status !== 'delivered')
      throw lacking(`it did not arrive: ${delivery.last_error ?? delivery.status}`, 'npm run doctor');
    const { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': signature } = mine.headers;
    const signed = sign(String(body['secret']), String(id), Number(seconds) * 1000, mine.text);
    if (signed['webhook-signature'] !== signature)
      throw lacking('its signature is not made with the secret of its owner', 'npm run doctor');
    return ok('arrived here, and is signed');
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Resolves after the first try. */
async function tell(smoke: Smoke, inputs: Inputs, url: string) {
  const jobId = await submit(smoke, { ...inputs, webhook_url: url });
  await cancel(smoke, jobId);
  const delivery = await poll(
    smoke,
    async () => {
      const answer = wanted(await smoke.ask('/api/webhooks?limit=100'), 200, 'GET /api/webhooks');
      const deliveries = answer.body['webhooks'] as Delivery[];
      const mine = deliveries.find(({ job_id }) => job_id === jobId);
      return mine && mine.attempts > 0 && (mine.status !== 'pending' || mine.last_error !== null)
        ? mine
        : undefined;
    },
    LIMIT,
  );
  if (delivery) return { delivery, jobId, host: new URL(url).host };
  throw lacking(
    `none was tried within ${LIMIT / 60_000} minutes`,
    'the log of the webhooks: on AWS aws logs tail /comfyui/webhooks, with the name of the deployment',
  );
}

/** True only if WEBHOOK_ALLOW_PRIVATE is set; the request has no prompt, so that no job is accepted. */
async function takesPlainHttp({ ask }: Smoke): Promise<boolean> {
  const answer = await ask('/api/generate', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: '', webhook_url: 'http://127.0.0.1:1/' }),
  });
  if (answer.status !== 400) throw lacking(`a job without a prompt: ${saidBy(answer)}`, 'npm run doctor');
  return (answer.body['details'] as { field?: string } | undefined)?.field !== 'webhook_url';
}

function isLoopback(url: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);
}
