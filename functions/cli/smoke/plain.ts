// Answers without a body or without a new one: preflight, HEAD, 304, an error; and a compressed answer. Finds an endpoint
// that waits for the end of an empty answer, or removes a header.

import { randomUUID } from 'node:crypto';
import { type Check, lacking, ok } from '../doctor/check.ts';
import { type Answer, type Ask, saidBy } from './ask.ts';
import { type Smoke, wanted } from './smoke.ts';

/** An empty answer ends only after something was written: functions/api/http/function-url.ts. */
const DEPLOY = 'npm run deploy, with the release that this program is of';
const DOCUMENT = '/openapi.json';

/** Runs before all others: whether the API answers and accepts the key. */
export function apiCheck({ ask, key, url }: Smoke): Check {
  return {
    name: 'api',
    async run() {
      const answer = await ask('/api/health', {
        advice: 'does it run, and is it the address of this API (--url)? On AWS: npm run doctor',
      });
      if (answer.status === 401)
        throw lacking(`${url} answered ${saidBy(answer)}`, '--key KEY, or API_KEY in the environment');
      if (answer.body['code'] === 'not_through_cloudfront')
        throw lacking(
          `${url} answered ${saidBy(answer)}`,
          '--deployed, or --url with what the deployment prints as Url',
        );
      if (typeof answer.body['status'] !== 'string')
        throw lacking(`${url} answered ${saidBy(answer)}`, 'is it the address of this API? --url');
      const keyless = key === undefined ? undefined : await ask('/api/health', { key: null });
      if (keyless && keyless.status !== 401)
        throw lacking(
          `it asks for no key (${keyless.status} without one)`,
          'set API_KEYS=required where it runs',
        );
      return ok(`${url} answers${keyless ? ', and asks for a key' : ''}`);
    },
  };
}

export function plainChecks({ ask }: Smoke): Check[] {
  return [
    {
      name: 'preflight',
      async run() {
        const headers = {
          origin: 'https://smoke.example',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type,idempotency-key',
        };
        const answer = await ask('/api/generate', { method: 'OPTIONS', headers, key: null });
        const allowed = (what: string) => answer.headers.get(`access-control-allow-${what}`) ?? '';
        const good = /\bPOST\b/.test(allowed('methods')) && /\bauthorization\b/i.test(allowed('headers'));
        if (![200, 204].includes(answer.status) || !good)
          throw lacking(`OPTIONS answered ${answer.status} and does not allow POST with a key`, DEPLOY);
        return ok(`${answer.status}, for pages of ${allowed('origin') || 'no other origin'}`);
      },
    },
    {
      name: 'head',
      async run() {
        const head = wanted(await ask(DOCUMENT, { method: 'HEAD' }), 200, `HEAD ${DOCUMENT}`, DEPLOY);
        if (!head.headers.get('content-type')?.includes('json'))
          throw lacking(`HEAD ${DOCUMENT} does not say its type`, DEPLOY);
        return ok('as GET, without a body');
      },
    },
    {
      name: 'not modified',
      async run() {
        const etag = etagOf(wanted(await ask(DOCUMENT), 200, `GET ${DOCUMENT}`, DEPLOY));
        const again = await ask(DOCUMENT, { headers: { 'if-none-match': etag } });
        wanted(again, 304, `GET ${DOCUMENT} with its ETag`, DEPLOY);
        return ok('304');
      },
    },
    { name: 'compressed', run: () => compressed(ask) },
    {
      name: 'not found',
      async run() {
        const answer = await ask(`/api/smoke-${randomUUID()}`);
        wanted(answer, 404, 'GET of nothing', DEPLOY);
        if (answer.body['code'] !== 'route_not_found')
          throw lacking(
            `404 in other words than this API's: ${answer.bytes.toString().slice(0, 60)}`,
            DEPLOY,
          );
        return ok('404');
      },
    },
  ];
}

/** A compressed body is another representation, with an ETag of its own; a plain body with that ETag was unpacked on the way. */
async function compressed(ask: Ask) {
  const get = async (coding: string) =>
    wanted(
      await ask(DOCUMENT, { headers: { 'accept-encoding': coding } }),
      200,
      `GET ${DOCUMENT} as ${coding}`,
      DEPLOY,
    );
  const plain = await get('identity');
  const zipped = await get('gzip');
  if (!zipped.bytes.equals(plain.bytes))
    throw lacking('compressed it says something else than plain', DEPLOY);
  const coding = zipped.headers.get('content-encoding');
  if (coding === null && etagOf(zipped) !== etagOf(plain))
    throw lacking(
      'it was compressed, and unpacked again on the way: that costs time, and fails now and then with 502',
      DEPLOY,
    );
  return ok(coding ?? 'nothing is, and nothing says so');
}

/** Without W/: a proxy that compresses makes the ETag weak. */
function etagOf({ headers }: Answer): string {
  return (headers.get('etag') ?? '').replace(/^W\//, '');
}
