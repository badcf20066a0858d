// The dashboard: waiting jobs, offers, GPU hosts and failures on one page. It has every metric of functions/metrics.ts.

import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IMetric,
  PeriodOverride,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { MetricName } from '../functions/metrics.ts';
import { type Alarms, measured } from './alarms.ts';
import type { Api } from './api.ts';
import type { Controller } from './controller.ts';
import type { Forwarder } from './forwarder.ts';
import type { Settings } from './settings.ts';
import type { Webhooks } from './webhooks.ts';

export class Dashboard extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: {
      settings: Settings;
      alarms: Alarms;
      api: Api;
      forwarder: Forwarder;
      controller: Controller;
      webhooks: Webhooks;
    },
  ) {
    super(scope, id);
    const { name } = props.settings;
    const of = (service: Parameters<typeof measured>[1], statistic: string, ...metrics: MetricName[]) =>
      metrics.map((metric) => measured(name, service, metric, statistic, Duration.minutes(1)));
    const graph = (title: string, left: IMetric[], right: IMetric[] = []) =>
      new GraphWidget({ title, left, right, width: 8, height: 6 });
    const services = [props.api, props.forwarder, props.controller, props.webhooks].map(
      ({ service }) => service.lambda,
    );
    new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: name,
      defaultInterval: Duration.hours(3),
      periodOverride: PeriodOverride.AUTO,
      widgets: [
        [new AlarmStatusWidget({ title: 'Alarms', alarms: props.alarms.alarms, width: 24, height: 3 })],
        [
          graph(
            'Waiting jobs, and seconds of the oldest',
            of('controller', Stats.MAXIMUM, 'waiting'),
            of('controller', Stats.MAXIMUM, 'oldest_waiting'),
          ),
          graph(
            'GPU hosts: ready, wanted, start blocked',
            of('controller', Stats.MAXIMUM, 'hosts_ready', 'hosts_wanted'),
            of('controller', Stats.MAXIMUM, 'start_blocked'),
          ),
          graph(
            'From launch to first claim, seconds',
            of('host', Stats.AVERAGE, 'start_to_claim', 'models_time', 'comfyui_time'),
          ),
        ],
        [
          graph(
            'Jobs: accepted, completed, failed',
            [
              ...of('api', Stats.SUM, 'jobs_accepted'),
              ...of('host', Stats.SUM, 'jobs_completed', 'jobs_failed'),
            ],
            of('controller', Stats.SUM, 'jobs_expired'),
          ),
          graph('GPU seconds', of('host', Stats.SUM, 'gpu_seconds')),
          graph('Lost and late', [
            ...of('host', Stats.SUM, 'attempts_lost', 'writes_fenced_out'),
            ...of('controller', Stats.SUM, 'attempts_lost', 'jobs_returned'),
          ]),
        ],
        [
          graph(
            'Offers, and ms to forward',
            of('forwarder', Stats.SUM, 'offers_placed', 'offers_left', 'records_skipped'),
            of('forwarder', 'p95', 'forwarding_time'),
          ),
          graph(
            'Functions: errors, and ms (p95)',
            services.map((service) =>
              service.metricErrors({ label: `errors ${service.node.path.split('/').at(-3)}` }),
            ),
            services.map((service) =>
              service.metricDuration({
                statistic: 'p95',
                label: `ms ${service.node.path.split('/').at(-3)}`,
              }),
            ),
          ),
          graph(
            'Failed requests and cold starts, ms to start',
            of('api', Stats.SUM, 'requests_failed', 'cold_starts'),
            of('api', 'p95', 'init_time'),
          ),
        ],
        [
          graph(
            'Webhooks: delivered, tries that failed',
            of('webhooks', Stats.SUM, 'webhooks_delivered', 'webhooks_failed'),
          ),
        ],
      ],
    });
  }
}
