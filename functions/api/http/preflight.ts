// The answer to a browser's preflight: what a page of another origin may send. By the app itself, and on
// AWS by CloudFront, which then need not wake a function (infra/preflights.ts).

export const PREFLIGHT = {
  methods: ['GET', 'HEAD', 'POST', 'DELETE'],
  headers: [
    'Authorization',
    'X-API-Key',
    'Content-Type',
    'Idempotency-Key',
    'Last-Event-ID',
    'X-Request-Id',
    'Range',
    'If-None-Match',
    // W3C Trace Context.
    'traceparent',
    'tracestate',
    // Of OpenAI's SDK.
    'OpenAI-Organization',
    'OpenAI-Project',
    ...[
      'Lang',
      'Package-Version',
      'OS',
      'Arch',
      'Runtime',
      'Runtime-Version',
      'Retry-Count',
      'Timeout',
      'Helper-Method',
    ].map((name) => `X-Stainless-${name}`),
    'MCP-Protocol-Version',
    'Mcp-Method',
    'Mcp-Name',
  ],
  /** Ten minutes, in seconds; browsers ask again before every request otherwise. */
  maxAge: 600,
};
