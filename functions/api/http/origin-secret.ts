// The header by which the API knows what came through the front door on AWS: infra has CloudFront add it.

export const ORIGIN_SECRET_HEADER = 'x-origin-secret';
