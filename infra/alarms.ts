// The alarms that go to a person by mail; each has a page of the same name in infra/RUNBOOK.md. Metrics are those of
// functions/metrics.ts; an alarm watches one metric, since each metric costs ten cents a month.

import { Duration, Stack, Validations } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { readWarm } from '../functions/core/warm-schedule.ts';
import type { MetricName } from '../functions/metrics.ts';
import type { Api } from './api.ts';
import type { FailedRecords } from './waiting-jobs-stream.ts';
import type { Forwarder } from './forwarder.ts';
import { namespaceOf } from './names.ts';
import type { Settings } from './settings.ts';

type ServiceName = 'api' | 'forwarder' | 'controller' | 'webhooks' | 'host';

/** A metric that a service emits. */
export function measured(
  name: string,
  service: ServiceName,
  metricName: MetricName,
  statistic: string,
  period: Duration = Duration.minutes(5),
): Metric {
  return new Metric({
    namespace: namespaceOf(name),
    metricName,
    dimensionsMap: { service: service },
    statistic,
    period,
  });
}

interface Watch {
  metric: IMetric;
  /** The alarm fires at this value or above; with `below`, under it. */
  threshold: number;
  below?: true;
  /** Consecutive periods that must breach. */
  periods?: number;
  /** For a metric that is emitted as long as its source lives: the alarm fires when data is missing. */
  missing?: 'rings';
  says: string;
}

export class Alarms extends Construct {
  readonly topic: Topic;
  readonly alarms: Alarm[];

  constructor(
    scope: Construct,
    id: string,
    props: { settings: Settings; api: Api; forwarder: Forwarder; failed: FailedRecords },
  ) {
    super(scope, id);
    const { settings } = props;
    this.topic = new Topic(this, 'Topic', { displayName: `${settings.name} alarms`, enforceSSL: true });
    Validations.of(this.topic).acknowledge({
      id: 'AwsSolutions-SNS2',
      reason:
        'Alarms hold no secret, and CloudWatch may publish only with a key of our own, at a dollar a month.',
    });
    // A topic policy of our own replaces the default one, which lets the account's alarms publish.
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    if (settings.alarmMail !== undefined) {
      this.topic.addSubscription(new EmailSubscription(settings.alarmMail));
    }
    this.alarms = Object.entries(watches(props)).map(([name, watch]) =>
      this.#add(settings.name, name, watch),
    );
  }

  #add(stack: string, name: string, watch: Watch): Alarm {
    const alarm = new Alarm(this, name, {
      alarmName: `${stack}-${name}`,
      alarmDescription: `${watch.says} What to do: infra/RUNBOOK.md, "${name}".`,
      metric: watch.metric,
      threshold: watch.threshold,
      comparisonOperator: watch.below
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: watch.periods ?? 1,
      treatMissingData: watch.missing ? TreatMissingData.MISSING : TreatMissingData.NOT_BREACHING,
    });
    const tell = new SnsAction(this.topic);
    alarm.addAlarmAction(tell);
    alarm.addOkAction(tell);
    // Missing data is not treated as breaching: a first deployment would fire the alarm at once. The alarm begins without
    // data, and only changes of state send mail.
    if (watch.missing) alarm.addInsufficientDataAction(tell);
    return alarm;
  }
}

function watches(props: {
  settings: Settings;
  api: Api;
  forwarder: Forwarder;
  failed: FailedRecords;
}): Record<string, Watch> {
  const { name, maxHosts, minHosts, warm, lambdaConcurrency } = props.settings;
  const mostWarm = Math.max(minHosts, ...readWarm(warm).map(({ hosts }) => hosts));
  const fiveMinutes = { period: Duration.minutes(5), statistic: Stats.SUM };
  return {
    'start-blocked': {
      metric: measured(name, 'controller', 'start_blocked', Stats.MAXIMUM),
      threshold: 1,
      says: 'Jobs wait and no GPU host can be started.',
    },
    'oldest-waiting': {
      metric: measured(name, 'controller', 'oldest_waiting', Stats.MINIMUM),
      threshold: 1800,
      periods: 2,
      says: 'A job has waited for half an hour.',
    },
    'controller-silent': {
      // Every complete round emits the number of wanted hosts, zero included: a missing value means a missing round.
      metric: measured(name, 'controller', 'hosts_wanted', Stats.SAMPLE_COUNT, Duration.minutes(1)),
      threshold: 1,
      below: true,
      periods: 10,
      missing: 'rings',
      says: 'The controller has not ended a round for ten minutes.',
    },
    'forwarder-failing': {
      metric: props.forwarder.service.lambda.metricErrors(fiveMinutes),
      threshold: 1,
      periods: 3,
      says: 'The forwarder fails again and again.',
    },
    'failed-records': {
      metric: props.failed.queue.metricApproximateNumberOfMessagesVisible({
        ...fiveMinutes,
        statistic: Stats.MAXIMUM,
      }),
      threshold: 1,
      says: 'A record of the stream of jobs could not be worked on.',
    },
    'api-failing': {
      metric: new Metric({
        namespace: 'AWS/Lambda',
        metricName: 'Url5xxCount',
        dimensionsMap: { FunctionName: props.api.service.lambda.functionName },
        ...fiveMinutes,
      }),
      threshold: 5,
      says: 'The API answers with 5xx.',
    },
    'api-throttled': {
      // Lambda answers these itself, with 429; they do not count as 5xx.
      metric: props.api.service.lambda.metricThrottles(fiveMinutes),
      threshold: 5,
      says: 'Callers are turned away: no environment of Lambda was free for the api.',
    },
    'account-full': {
      // All functions of the account in this region, those of other projects included.
      metric: LambdaFunction.metricAllConcurrentExecutions({ ...fiveMinutes, statistic: Stats.MAXIMUM }),
      threshold: Math.floor(lambdaConcurrency * 0.8),
      periods: 3,
      says: `Lambda has used four fifths of the ${lambdaConcurrency} environments of the account.`,
    },
    'attempts-lost': {
      // A host reports attempts that ComfyUI lost, the controller those of a dead host.
      metric: new MathExpression({
        expression: 'SUM([host, controller])',
        usingMetrics: {
          host: measured(name, 'host', 'attempts_lost', Stats.SUM),
          controller: measured(name, 'controller', 'attempts_lost', Stats.SUM),
        },
        period: Duration.minutes(5),
        label: 'attempts lost',
      }),
      threshold: 3,
      periods: 2,
      says: 'Attempts are lost after they started: GPU time is paid twice.',
    },
    // Without this condition the alarm would fire for hosts that minHosts or warm keeps up, or where maxHosts is 0.
    ...(maxHosts > mostWarm && {
      'hosts-at-maximum': {
        metric: measured(name, 'controller', 'hosts_ready', Stats.MINIMUM, Duration.hours(1)),
        threshold: maxHosts,
        periods: 4,
        says: `All ${maxHosts} GPU hosts have run for four hours.`,
      },
    }),
  };
}
