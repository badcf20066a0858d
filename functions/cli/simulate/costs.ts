// The cost of a million jobs without their GPUs, line by line, with unit price and source: monthly list prices of
// us-east-1. DynamoDB's units are measured (load.ts); the behaviour of callers is assumed and stated. Pure.

import { createLog } from '../../log.ts';
import { METRICS } from '../../metrics.ts';
import { DOLLARS } from './pricing.ts';

/** DynamoDB units of one job: its share of all that the fleet reads and writes while it runs. */
export interface Units {
  reads: number;
  writes: number;
}

export interface Line {
  what: string;
  /** Amount, unit and unit price. */
  counted: string;
  source: string;
  dollars: number;
}

export const JOBS = 1_000_000;
const MB_PER_IMAGE = 1.5;
/** Lambda time of an answer, ms, and the function's memory, GB. */
const ANSWER = { ms: 30, gb: 1 };
/** Lambda time of a stream batch, ms, and memory, GB, for two functions: the forwarder and the controller. */
const BATCH = { ms: 30, gb: 0.5, functions: 2 };
/** START, END and REPORT of Lambda's text format, with the 26 bytes that CloudWatch adds to each line. */
const PLATFORM_BYTES = 340;
const LINE_OVERHEAD = 26;
/** Log lines of a job besides its requests: accepted, claimed, completed, its metrics. */
const LINES_OF_JOB = 6;
const GB = 1e9;

/** A client polls the status every two seconds while its job runs; one request comes before, one fetches the image. */
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

/** @param free units that every account has free each month */
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

/** Bytes of the api's log line for a request. */
function lineBytes(): number {
  let bytes = 0;
  createLog('api', 'info', (text) => void (bytes = Buffer.byteLength(text))).info('request.answered', {
    requestId: '0'.repeat(36),
    method: 'GET',
    path: `/api/status/${'0'.repeat(36)}`,
    status: 200,
    ms: 10,
    traceId: '0'.repeat(32),
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
