// What a person is told of, and the runbook that says what to do.

import { Match } from 'aws-cdk-lib/assertions';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { METRICS } from '../../functions/metrics.ts';
import { toldBy } from './alarm-state.ts';
import { resourcesOf, templatesWith } from './synth.ts';

const templates = templatesWith({ alarmMail: 'ops@example.com' });
const { compute } = templates;
const runbook = readFileSync('infra/RUNBOOK.md', 'utf8');
const pages = new Map(
  runbook
    .split(/^### /m)
    .slice(1)
    .map((page) => [page.slice(0, page.indexOf('\n')), page.split(/^## /m)[0]!]),
);
const alarms = Object.values(compute.findResources('AWS::CloudWatch::Alarm')).map(
  ({ Properties }) => Properties,
);
const alarmsIn = (settings: Parameters<typeof templatesWith>[0]) =>
  Object.values(templatesWith(settings).compute.findResources('AWS::CloudWatch::Alarm')).map(
    ({ Properties }) => Properties,
  );
const nameOf = (alarm: { AlarmName: string }) => alarm.AlarmName.replace('comfyui-', '');

describe('alarms', () => {
  test('each has a page: what it means, where to look, what to do', () => {
    expect([...pages.keys()].toSorted()).toEqual(
      [...alarms.map((alarm) => nameOf(alarm as never)), 'budget'].toSorted(),
    );
    for (const [name, page] of pages) {
      for (const part of ['**Means**:', '**Look**:', '**Do**:'])
        expect([name, page.includes(part)]).toEqual([name, true]);
    }
  });

  test('each says its page, and rings at the topic, and says when it is over', () => {
    for (const alarm of alarms) {
      expect(alarm.AlarmDescription).toContain(`infra/RUNBOOK.md, "${nameOf(alarm as never)}"`);
      expect(alarm.AlarmActions).toEqual([{ Ref: expect.stringMatching(/^AlarmsTopic/) }]);
      expect(alarm.OKActions).toEqual(alarm.AlarmActions);
    }
  });

  test('silence of the controller rings; silence of the others does not', () => {
    const ringing = alarms.filter(
      (alarm) => alarm.TreatMissingData !== 'notBreaching' || alarm.InsufficientDataActions,
    );
    expect(ringing.map((alarm) => nameOf(alarm as never))).toEqual(['controller-silent']);
  });

  describe('controller-silent', () => {
    const alarm = alarms.find((one) => nameOf(one as never) === 'controller-silent') as never;
    const rounds = (of: (minute: number) => boolean) => (minute: number) => Number(of(minute));

    test('does not ring while a first deployment makes the controller, nor while it works', () => {
      expect(
        toldBy(
          alarm,
          600,
          rounds((minute) => minute >= 12),
        ),
      ).toEqual([{ minute: expect.any(Number) as number, state: 'OK' }]);
    });

    test('rings once between ten and twenty minutes of silence, and says when it is over', () => {
      const isSilent = (minute: number) => minute >= 100 && minute < 200;
      const [ok, rings, over, ...more] = toldBy(
        alarm,
        600,
        rounds((minute) => minute >= 2 && !isSilent(minute)),
      );
      expect([ok?.state, over?.state, more]).toEqual(['OK', 'OK', []]);
      expect(rings?.state).not.toBe('OK');
      expect(rings!.minute - 100).toBeGreaterThanOrEqual(10);
      expect(rings!.minute - 100).toBeLessThanOrEqual(20);
    });
  });

  test('tell of callers that are turned away, and of an account that is full, at what its limit is', () => {
    const named = (template: typeof compute, name: string) =>
      Object.values(template.findResources('AWS::CloudWatch::Alarm'))
        .map(({ Properties }) => Properties)
        .find((one) => one.AlarmName === `comfyui-${name}`)!;
    expect(named(compute, 'api-throttled')).toMatchObject({
      Namespace: 'AWS/Lambda',
      MetricName: 'Throttles',
      Dimensions: [{ Name: 'FunctionName', Value: { Ref: expect.stringMatching(/^ApiService/) } }],
      Statistic: 'Sum',
    });
    const full = { Namespace: 'AWS/Lambda', MetricName: 'ConcurrentExecutions', Statistic: 'Maximum' };
    expect(named(compute, 'account-full')).toMatchObject({ ...full, Threshold: 8 });
    expect(named(compute, 'account-full').Dimensions).toBeUndefined();
    const larger = templatesWith({ lambdaConcurrency: 1000 }).compute;
    expect(named(larger, 'account-full')).toMatchObject({ ...full, Threshold: 800 });
  });

  test('watch metrics that a service puts, under the name that it puts them', () => {
    const own = metricsIn(JSON.stringify(alarms));
    expect(own.length).toBeGreaterThan(4);
    for (const name of own) expect(Object.keys(METRICS)).toContain(name);
  });

  test.each<[Parameters<typeof templatesWith>[0], number]>([
    [{ minHosts: 2, maxHosts: 2 }, 0],
    [{ warm: 'mon-fri 08:00-18:00 Europe/Berlin=2', maxHosts: 2 }, 0],
    [{ minHosts: 1, warm: 'sat 08:00-09:00 UTC=1', maxHosts: 2 }, 1],
  ])('of hosts at their maximum does not ring where they were asked to be: %j', (settings, count) => {
    const named = alarmsIn(settings).filter((one) => nameOf(one as never) === 'hosts-at-maximum');
    expect(named).toHaveLength(count);
  });

  test('without hosts none can be at its maximum', () => {
    expect(alarmsIn({ maxHosts: 0 })).toHaveLength(alarms.length - 1);
  });

  test('go to the mail that the context names, over TLS alone', () => {
    compute.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'ops@example.com',
    });
    compute.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    });
    templatesWith().compute.resourceCountIs('AWS::SNS::Subscription', 0);
  });
});

test('alarms and the budget may publish to the topic, for this account alone', () => {
  // Its own policy replaces the default one, which would have let the alarms in.
  compute.hasResourceProperties('AWS::SNS::TopicPolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Effect: 'Allow',
          Action: 'sns:Publish',
          Principal: { Service: ['budgets.amazonaws.com', 'cloudwatch.amazonaws.com'] },
          Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        }),
      ]),
    },
  });
});

test('every metric that is put is on the dashboard', () => {
  const [dashboard] = Object.values(compute.findResources('AWS::CloudWatch::Dashboard'));
  const shown = new Set(metricsIn(JSON.stringify(dashboard!['Properties'])));
  expect(Object.keys(METRICS).filter((name) => !shown.has(name))).toEqual([]);
});

test('the budget tells the topic', () => {
  compute.hasResourceProperties('AWS::Budgets::Budget', {
    Budget: { BudgetType: 'COST', TimeUnit: 'MONTHLY', BudgetLimit: { Amount: 100, Unit: 'USD' } },
    NotificationsWithSubscribers: Match.arrayWith([
      {
        Notification: Match.objectLike({ NotificationType: 'FORECASTED', Threshold: 100 }),
        Subscribers: [{ SubscriptionType: 'SNS', Address: { Ref: Match.stringLikeRegexp('^AlarmsTopic') } }],
      },
    ]),
  });
});

describe('what it costs at zero', () => {
  const rows = [...runbook.matchAll(/^\| (.+?) \|\s*(.*?)\s*\| \**([\d.]+)\** \| \**([\d.]+)\** \|$/gm)].map(
    ([, name, how, listed, free]) => ({ name: name!, how: how!, listed: Number(listed), free: Number(free) }),
  );
  const sum = rows.find(({ name }) => name === '**sum**')!;
  const lines = rows.filter((row) => row !== sum);

  test('the table adds up, to no more than $5 a month', () => {
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.reduce((total, { listed }) => total + listed, 0)).toBeCloseTo(sum.listed, 9);
    expect(lines.reduce((total, { free }) => total + free, 0)).toBeCloseTo(sum.free, 9);
    expect(sum.listed).toBeLessThanOrEqual(5);
  });

  test('it counts the secrets and alarms that are deployed', () => {
    const watched = alarms.flatMap((alarm) =>
      alarm.Metrics ? (alarm.Metrics as object[]).filter((one) => 'MetricStat' in one) : [alarm],
    );
    expect(rowOf('Secrets').how).toMatch(/^2 ×/);
    compute.resourceCountIs('AWS::SecretsManager::Secret', 2);
    expect(rowOf('Alarms').how).toContain(`${watched.length} metrics in ${alarms.length} alarms`);
  });

  test('nothing that costs by the hour is deployed', () => {
    const types = new Set(resourcesOf(templates).map(([, { Type }]) => Type));
    const priced = [
      'NatGateway',
      'EIP',
      'LoadBalancer',
      'KMS::Key',
      'WebACL',
      'TransitGateway',
      'Instance',
      'DBInstance',
    ];
    expect([...types].filter((type) => priced.some((part) => type.endsWith(`::${part}`)))).toEqual([]);
    expect([...types].filter((type) => type === 'AWS::CloudWatch::Dashboard')).toHaveLength(1);
  });

  function rowOf(name: string) {
    return lines.find((row) => row.name === name)!;
  }
});

/** Names of metrics of our own, in a template's text: AWS's begin with a capital letter. */
function metricsIn(text: string): string[] {
  const inAlarms = [...text.matchAll(/"MetricName":"([a-z_]+)"/g)];
  const inWidgets = [...text.matchAll(/\\"comfyui\\",\\"([a-z_]+)\\",\\"service\\"/g)];
  return [...new Set([...inAlarms, ...inWidgets].map(([, name]) => name!))];
}
