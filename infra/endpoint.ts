// CloudFront: HTTPS, an optional domain name of its own, and the origin secret that the function requires. It caches the console's
// files, which are named by their contents, and nothing else: every other request reaches the origin.

import { Duration, Validations } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  CachePolicy,
  Distribution,
  HttpVersion,
  OriginRequestPolicy,
  PriceClass,
  ResponseHeadersPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { FunctionUrlOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Construct } from 'constructs';
import { type Api, API_TIMEOUT } from './api.ts';
import { Preflights } from './preflights.ts';
import type { GeneratedSecret } from './secrets.ts';
import type { Settings } from './settings.ts';
import { ORIGIN_SECRET_HEADER } from '../functions/api/http/cloudfront-secret.ts';

/**
 * Errors that a distribution caches for 10 s by default, whatever its cache policy says and, except for 404, 414 and
 * 501, whatever the response says. No other status code can be configured, and no other is cached.
 * Source: "Control how long CloudFront caches errors" and "How CloudFront processes HTTP 4xx and 5xx status codes" in
 * CloudFront's developer guide; cfn-lint has the list.
 */
const ERRORS = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

export class Endpoint extends Construct {
  readonly distribution: Distribution;
  /** The address that callers use. */
  readonly address: string;
  readonly hostName: string;

  constructor(
    scope: Construct,
    id: string,
    { settings, api, originSecret }: { settings: Settings; api: Api; originSecret: GeneratedSecret },
  ) {
    super(scope, id);
    const { domainName, certificateArn } = settings;
    const origin = new FunctionUrlOrigin(api.url, {
      customHeaders: { [ORIGIN_SECRET_HEADER]: originSecret.value },
      readTimeout: API_TIMEOUT,
      keepaliveTimeout: Duration.seconds(60),
    });
    const shared = {
      origin,
      // A Function URL answers only requests with its own host name.
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
      responseHeadersPolicy: ResponseHeadersPolicy.SECURITY_HEADERS,
      // No redirect: a request that sends its key in plain text must fail visibly.
      viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
      // CloudFront compresses only responses that have a Content-Length, which a streaming Function URL renames, and only
      // those that the cache policy lets it cache.
      compress: false,
    };
    this.distribution = new Distribution(this, 'Distribution', {
      comment: `${settings.name}: the API of ComfyUI`,
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_100,
      defaultBehavior: {
        ...shared,
        allowedMethods: AllowedMethods.ALLOW_ALL,
        cachePolicy: CachePolicy.CACHING_DISABLED,
        functionAssociations: [new Preflights(this, 'Preflights', settings).association],
      },
      additionalBehaviors: {
        '/console/*': {
          ...shared,
          allowedMethods: AllowedMethods.ALLOW_GET_HEAD,
          cachePolicy: CachePolicy.CACHING_OPTIMIZED,
        },
      },
      errorResponses: ERRORS.map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(0) })),
      ...(domainName !== undefined &&
        certificateArn !== undefined && {
          domainNames: [domainName],
          minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
          certificate: Certificate.fromCertificateArn(this, 'Certificate', certificateArn),
        }),
    });
    this.hostName = domainName ?? this.distribution.distributionDomainName;
    this.address = `https://${this.hostName}`;
    this.#acknowledge(certificateArn !== undefined);
  }

  #acknowledge(ownCertificate: boolean): void {
    const accept = (id: string, reason: string) =>
      Validations.of(this.distribution).acknowledge({ id: `AwsSolutions-${id}`, reason });
    accept('CFR1', 'The API is for callers with a key, wherever they are.');
    accept(
      'CFR2',
      'A firewall costs more a month than all the rest at zero; without the key nothing is computed.',
    );
    accept(
      'CFR3',
      'The api writes a structured line for every request; a second log of the same would cost storage.',
    );
    if (!ownCertificate) {
      accept(
        'CFR4',
        "CloudFront's own certificate allows older TLS versions, which cannot be changed; with domainName and certificateArn set it is TLS 1.2 and later.",
      );
    }
  }
}
