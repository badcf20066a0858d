// What the synthesised template tells CloudFront to do, as far as the stand-in of it does it. What it does not know of, it
// refuses: a template that asks for more must not be tested by less.

import { createContext, runInContext } from 'node:vm';
import type { Template } from 'aws-cdk-lib/assertions';

export interface Distribution {
  methods: string[];
  /** Names of what is added to every request to the origin. */
  originHeaders: string[];
  /** Whether the origin is told the host name that the viewer asked for. */
  tellsViewersHost: boolean;
  /** ms */
  readTimeout: number;
  /** By status, ms. */
  errorTtl: ReadonlyMap<number, number>;
  /** Unless the answer says something else. */
  answerHeaders: Record<string, string>;
  viewerRequest: ViewerRequest | undefined;
  /** GETs of these are kept for as long as their answers say, and nothing but GET and HEAD reaches them. */
  kept: RegExp;
}

/** An answer in place of the origin's, or undefined: go on. */
export type ViewerRequest = (request: ViewerEvent) => ViewerAnswer | undefined;
interface ViewerEvent {
  method: string;
  path: string;
  headers: Record<string, string>;
}
interface ViewerAnswer {
  status: number;
  headers: Record<string, string>;
}

interface Behavior {
  AllowedMethods: string[];
  CachePolicyId: string;
  OriginRequestPolicyId?: string;
  ResponseHeadersPolicyId?: string;
  Compress: boolean;
  FunctionAssociations?: { EventType: string; FunctionARN: { 'Fn::GetAtt': [string, string] } }[];
}
interface Config {
  DefaultCacheBehavior: Behavior;
  CacheBehaviors?: (Behavior & { PathPattern: string })[];
  CustomErrorResponses?: { ErrorCode: number; ErrorCachingMinTTL?: number; ResponsePagePath?: string }[];
  Origins: {
    CustomOriginConfig: { OriginReadTimeout: number };
    OriginCustomHeaders?: { HeaderName: string }[];
  }[];
}

/** CloudFront's own policies, by the ids that it has for them. */
const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';
const CACHING_OPTIMIZED = '658327ea-f89d-4fab-a63d-7e88639e58f6';
const TELLS_VIEWERS_HOST: Record<string, boolean> = {
  '216adef6-5c7f-47e4-b989-5492eafa07d3': true,
  'b689b0a8-53d0-40ab-baf2-68738e2966ac': false,
};
const ANSWER_HEADERS: Record<string, Record<string, string>> = {
  '67f7725c-6f97-4210-82d7-5512b31e9d03': {
    'referrer-policy': 'strict-origin-when-cross-origin',
    'strict-transport-security': 'max-age=31536000',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'SAMEORIGIN',
    'x-xss-protection': '1; mode=block',
  },
};

export function distributionOf(template: Template): Distribution {
  const [only, ...more] = Object.values(template.findResources('AWS::CloudFront::Distribution'));
  const config = (only?.['Properties'] as { DistributionConfig: Config } | undefined)?.DistributionConfig;
  if (!config || more.length > 0) throw new Error('The template should have one distribution');
  const {
    DefaultCacheBehavior: behavior,
    CacheBehaviors: others = [],
    Origins,
    CustomErrorResponses = [],
  } = config;
  const [origin] = Origins;
  const known =
    behavior.CachePolicyId === CACHING_DISABLED &&
    !behavior.Compress &&
    others.every(
      (one) =>
        one.CachePolicyId === CACHING_OPTIMIZED &&
        !one.Compress &&
        one.AllowedMethods.join() === 'GET,HEAD' &&
        !one.FunctionAssociations &&
        one.OriginRequestPolicyId === behavior.OriginRequestPolicyId &&
        one.ResponseHeadersPolicyId === behavior.ResponseHeadersPolicyId,
    );
  if (!known || !origin || Origins.length > 1)
    throw new Error(
      'The stand-in for CloudFront knows one behaviour that keeps nothing, and files that are kept',
    );
  return {
    methods: behavior.AllowedMethods,
    originHeaders: (origin.OriginCustomHeaders ?? []).map(({ HeaderName }) => HeaderName.toLowerCase()),
    tellsViewersHost: entryOf(TELLS_VIEWERS_HOST, behavior.OriginRequestPolicyId),
    readTimeout: origin.CustomOriginConfig.OriginReadTimeout * 1000,
    errorTtl: new Map(
      CustomErrorResponses.flatMap(({ ErrorCode, ErrorCachingMinTTL }) =>
        ErrorCachingMinTTL === undefined ? [] : [[ErrorCode, ErrorCachingMinTTL * 1000] as const],
      ),
    ),
    answerHeaders: entryOf(ANSWER_HEADERS, behavior.ResponseHeadersPolicyId),
    viewerRequest: viewerRequestOf(template, behavior),
    kept: new RegExp(
      `^(${others.map(({ PathPattern }) => PathPattern.replaceAll('*', '.*')).join('|') || '(?!)'})$`,
    ),
  };
}

function entryOf<Value>(known: Record<string, Value>, id = 'none'): Value {
  const found = known[id];
  if (found === undefined) throw new Error(`The stand-in for CloudFront does not know the policy ${id}`);
  return found;
}

interface FunctionResult {
  statusCode?: number;
  headers?: Record<string, { value: string }>;
}

function viewerRequestOf(
  template: Template,
  { FunctionAssociations: associations = [] }: Behavior,
): ViewerRequest | undefined {
  const [association, ...more] = associations;
  if (!association) return undefined;
  if (more.length > 0 || association.EventType !== 'viewer-request')
    throw new Error('The stand-in for CloudFront knows one function, for requests of viewers');
  const [id] = association.FunctionARN['Fn::GetAtt'];
  const { FunctionCode } = template.findResources('AWS::CloudFront::Function')[id]!['Properties'] as {
    FunctionCode: string;
  };
  const context = createContext({});
  runInContext(FunctionCode, context);
  return ({ method, path, headers }) => {
    const valued = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, { value }]));
    const event = {
      version: '1.0',
      request: { method, uri: path, querystring: {}, headers: valued, cookies: {} },
    };
    const result = runInContext(`handler(${JSON.stringify(event)})`, context) as FunctionResult;
    if (result.statusCode === undefined) return undefined;
    const answered = Object.entries(result.headers ?? {}).map(([name, { value }]) => [name, value]);
    return { status: result.statusCode, headers: Object.fromEntries(answered) as Record<string, string> };
  };
}
