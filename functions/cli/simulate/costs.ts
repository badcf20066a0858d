// What a million jobs cost beside their GPUs, line by line, each with its unit price and where that stands: list prices of
// us-east-1, a month. What DynamoDB is asked is measured (load.ts), what callers do is assumed and said. Pure.

import { createLog } from '../../log.ts';
import { METRICS } from '../../metrics.ts';
import { DOLLARS } from './pricing.ts';

/** Of DynamoDB, a job's part of all that its fleet reads and writes while it runs. */
export interface Units {
  reads: number;
  writes: number;
}

export interface Line {
  what: string;
  /** How many units of what price. */
  counted: string;
  source: string;
  dollars: number;
}

export const JOBS = 1_000_000;
const MB_PER_IMAGE = 1.5;
/** ms of a function's time that an answer takes, whose memory is so many GB. */
const ANSWER = { ms: 30, gb: 1 };
/** A batch of the stream, for the forwarder and for the controller. */
const BATCH = { ms: 30, gb: 0.5, functions: 2 };
/** START, END and REPORT of Lambda's text format, and 26 bytes that CloudWatch counts for each line. */
const PLATFORM_BYTES = 340;
const LINE_OVERHEAD = 26;
/** Said of a job beside its requests: accepted, claimed, completed, its metrics. */
const LINES_OF_JOB = 6;
const GB = 1e9;

/** A client asks for the status every two seconds while its job runs, once before and once for the image. */
export function requestsOf(secondsPerJob: number): number {
  return 3 + Math.ceil(secondsPerJob / 2);
}

export function costsOf(units: Units, secondsPerJob: number): Line[] {
  const requests = requestsOf(secondsPerJob);
  const gb = (JOBS * MB_PER_IMAGE) / 1000;
  const calls = JOBS * (requests + BATCH.functions);
  const gbSeconds =
    (JOBS * (requests * ANSWER.ms * ANSWER.gb + BATCH.functions * BATCH.ms * BATCH.gb)) / 1000;
  const logged =
    (JOBS * ((requests + LINES_OF_JOB) * lineBytes() + (requests + BATCH.functions) * PLATFORM_BYTES)) / GB;
  const metrics = Object.keys(METRICS).length;
  return [
    line(
      'Images to the internet',
      gb,
      100,
      'GB',
      0.09,
      'aws.amazon.com/ec2/pricing/on-demand, Data Transfer',
    ),
    line('Images kept for a month', gb, 0, 'GB', 0.023, 'aws.amazon.com/s3/pricing'),
    line('Images put', JOBS / 1000, 0, 'thousand PUTs', 0.005, 'aws.amazon.com/s3/pricing'),
    line('Images read', JOBS / 1000, 0, 'thousand GETs', 0.0004, 'aws.amazon.com/s3/pricing'),
    line(
      'DynamoDB writes',
      units.writes,
      0,
      'million units',
      DOLLARS.writes,
      'aws.amazon.com/dynamodb/pricing/on-demand',
    ),
    line(
      'DynamoDB reads',
      units.reads,
      0,
      'million units',
      DOLLARS.reads,
      'aws.amazon.com/dynamodb/pricing/on-demand',
    ),
    line(
      'CloudFront requests',
      (JOBS * requests) / 1e6,
      10,
      'million',
      1,
      'aws.amazon.com/cloudfront/pricing',
    ),
    line('Lambda calls', calls / 1e6, 1, 'million', 0.2, 'aws.amazon.com/lambda/pricing'),
    line(
      'Lambda time',
      gbSeconds,
      400_000,
      'GB-seconds',
      0.000_013_333_4,
      'aws.amazon.com/lambda/pricing, Arm',
    ),
    line('Log lines', logged, 5, 'GB', 0.5, 'aws.amazon.com/cloudwatch/pricing'),
    line('Metrics of hosts and functions', metrics, 10, 'metrics', 0.3, 'aws.amazon.com/cloudwatch/pricing'),
  ];
}

export function sumOf(lines: readonly Line[]): number {
  return lines.reduce((sum, { dollars }) => sum + dollars, 0);
}

/** @param free each month, of every account */
function line(what: string, amount: number, free: number, unit: string, price: number, source: string): Line {
  const without = free === 0 ? '' : ` − ${numberOf(free)} free`;
  return {
    what,
    counted: `${numberOf(amount)}${without} ${unit} × $${price}`,
    source,
    dollars: Math.max(0, amount - free) * price,
  };
}

function numberOf(amount: number): string {
  const text = amount >= 100 || Number.isInteger(amount) ? String(Math.round(amount)) : amount.toFixed(1);
  return text.replaceAll(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ',');
}

/** A request's, as the api writes it. */
function lineBytes(): number {
  let bytes = 0;
  createLog('api', 'info', (text) => void (bytes = Buffer.byteLength(text))).info('request.answered', {
    requestId: '0'.repeat(36),
    method: 'GET',
    path: `/api/status/${'0'.repeat(36)}`,
    status: 200,
    ms: 10,
  });
  return bytes + LINE_OVERHEAD;
}

export function costTableOf(lines: readonly Line[]): string {
  const rows = [
    ...lines.map(
      ({ what, counted, dollars, source }) => `| ${what} | ${counted} | ${dollars.toFixed(2)} | ${source} |`,
    ),
    `| **sum** | | **${sumOf(lines).toFixed(2)}** | |`,
  ];
  return ['| a million jobs | counted | dollars | price |', '|---|---|---:|---|', ...rows].join('\n');
}
