// The header by which the API knows which requests came through CloudFront: infra has CloudFront add it.

export const ORIGIN_SECRET_HEADER = 'x-origin-secret';
