// CORS preflights, answered by CloudFront itself: no function is invoked, and no empty response has to pass its Function
// URL. The response is the one that the app would give (test/infra/preflights.test.ts).
// The Function URL's `cors` is not used: it adds its headers to those of the app, and a browser refuses a response with two
// Access-Control-Allow-Origin headers.

import {
  Function as CloudFrontFunction,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  type FunctionAssociation,
} from 'aws-cdk-lib/aws-cloudfront';
import { Construct } from 'constructs';
import { PREFLIGHT } from '../functions/api/http/preflight.ts';
import type { Settings } from './settings.ts';

export class Preflights extends Construct {
  /** For a CloudFront behaviour. */
  readonly association: FunctionAssociation;

  constructor(scope: Construct, id: string, { name, allowedOrigins }: Settings) {
    super(scope, id);
    this.association = {
      eventType: FunctionEventType.VIEWER_REQUEST,
      function: new CloudFrontFunction(this, 'Function', {
        comment: `${name}: answers preflights`,
        runtime: FunctionRuntime.JS_2_0,
        code: FunctionCode.fromInline(codeFor(allowedOrigins)),
      }),
    };
  }
}

/** JavaScript for CloudFront's runtime 2.0. @param allowedOrigins `*`, or origins separated by commas */
function codeFor(allowedOrigins: string): string {
  const origins = allowedOrigins.split(',').map((one) => one.trim());
  const { methods, headers, maxAge } = PREFLIGHT;
  const always = {
    'access-control-allow-methods': { value: methods.join(',') },
    'access-control-allow-headers': { value: headers.join(',') },
    'access-control-max-age': { value: String(maxAge) },
    vary: { value: `${origins.includes('*') ? '' : 'Origin, '}Access-Control-Request-Headers` },
  };
  return `const origins = ${JSON.stringify(origins)};

function handler(event) {
  const request = event.request;
  const origin = request.headers.origin;
  if (request.method !== 'OPTIONS' || !origin || !request.headers['access-control-request-method']) return request;
  const headers = ${JSON.stringify(always)};
  if (origins.includes('*')) headers['access-control-allow-origin'] = { value: '*' };
  else if (origins.includes(origin.value)) headers['access-control-allow-origin'] = { value: origin.value };
  return { statusCode: 204, statusDescription: 'No Content', headers: headers };
}
`;
}
