// What is counted and timed, as CloudWatch's embedded metric format: a structured log line that becomes metrics where it
// is ingested. Source: "Specification: Embedded metric format" in Amazon CloudWatch's user guide. Names are here once:
// the dashboard and the alarms are made from them.

export const METRICS = {
  /** Jobs that wait, and how long the oldest has. */
  waiting: 'Count',
  oldest_waiting: 'Seconds',
  hosts_ready: 'Count',
  hosts_wanted: 'Count',
  /** 1 while no GPU host can be started, with the reason in the line; else it is not put. */
  start_blocked: 'Count',
  jobs_returned: 'Count',
  jobs_expired: 'Count',
  forwarding_time: 'Milliseconds',
  offers_placed: 'Count',
  offers_left: 'Count',
  /** Of stream records that this release cannot read. */
  records_skipped: 'Count',
  jobs_completed: 'Count',
  jobs_failed: 'Count',
  gpu_seconds: 'Seconds',
  attempts_lost: 'Count',
  /** Ends that came too late: another held the job by then. */
  writes_fenced_out: 'Count',
  /** From the instance's launch to its first claim. */
  start_to_claim: 'Seconds',
  models_time: 'Seconds',
  comfyui_time: 'Seconds',
  cold_starts: 'Count',
  init_time: 'Milliseconds',
  jobs_accepted: 'Count',
  requests_failed: 'Count',
  webhooks_delivered: 'Count',
  /** Tries, not webhooks: each is tried again for a day. */
  webhooks_failed: 'Count',
} as const;

export type MetricName = keyof typeof METRICS;

export interface Metrics {
  /** @param about further fields of the line: not dimensions, so that they cost nothing */
  put(values: Partial<Record<MetricName, number>>, about?: Record<string, unknown>): void;
}

/** @param namespace undefined: nothing is measured */
export function createMetrics(
  service: string,
  namespace: string | undefined,
  now: () => number = Date.now,
  print: (line: string) => void = (line) => void process.stdout.write(line),
): Metrics {
  return {
    put(values, about = {}) {
      if (namespace === undefined) return;
      const names = Object.keys(values) as MetricName[];
      const line = {
        ...about,
        _aws: {
          Timestamp: now(),
          CloudWatchMetrics: [
            {
              Namespace: namespace,
              Dimensions: [['service']],
              Metrics: names.map((Name) => ({ Name, Unit: METRICS[Name] })),
            },
          ],
        },
        service,
        ...values,
      };
      print(`${JSON.stringify(line)}\n`);
    },
  };
}
