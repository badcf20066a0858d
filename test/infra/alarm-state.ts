// What CloudWatch makes of an alarm and its metric, minute by minute. Source: "Configuring how CloudWatch alarms treat
// missing data" and PutMetricAlarm in CloudWatch's documentation: an alarm begins as INSUFFICIENT_DATA and tells of
// changes alone; of its evaluation range, some periods longer than it asks for, the latest data count, and where there
// are too few the missing ones are what TreatMissingData says.

export interface AlarmProperties {
  Threshold: number;
  ComparisonOperator: 'LessThanThreshold' | 'GreaterThanOrEqualToThreshold';
  EvaluationPeriods: number;
  Period: number;
  TreatMissingData: 'breaching' | 'notBreaching' | 'missing';
  AlarmActions?: unknown[];
  OKActions?: unknown[];
  InsufficientDataActions?: unknown[];
}

type State = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/** How many periods more than it asks for are looked at. AWS does not say how many; it shows two in its examples. */
const MORE = 2;

function stateOf(alarm: AlarmProperties, range: (number | undefined)[]): State {
  const breaches = (value: number) =>
    alarm.ComparisonOperator === 'LessThanThreshold' ? value < alarm.Threshold : value >= alarm.Threshold;
  const real = range.filter((value) => value !== undefined).map(breaches);
  const lacking = alarm.EvaluationPeriods - real.length;
  if (alarm.TreatMissingData === 'missing')
    return real.length === 0
      ? 'INSUFFICIENT_DATA'
      : real.slice(-alarm.EvaluationPeriods).every(Boolean)
        ? 'ALARM'
        : 'OK';
  const filled = Array<boolean>(Math.max(0, lacking)).fill(alarm.TreatMissingData === 'breaching');
  return [...filled, ...real.slice(-alarm.EvaluationPeriods)].every(Boolean) ? 'ALARM' : 'OK';
}

/** @param samples how many the metric has in a minute, from the alarm's making on. Its statistic is SampleCount. */
export function toldBy(
  alarm: AlarmProperties,
  minutes: number,
  samples: (minute: number) => number,
): { minute: number; state: State }[] {
  const actions = {
    OK: alarm.OKActions,
    ALARM: alarm.AlarmActions,
    INSUFFICIENT_DATA: alarm.InsufficientDataActions,
  };
  const length = alarm.Period / 60;
  const periods = alarm.EvaluationPeriods + MORE;
  const told: { minute: number; state: State }[] = [];
  let state: State = 'INSUFFICIENT_DATA';
  for (let minute = 0; minute < minutes; minute += 1) {
    const range = Array.from({ length: periods }, (_, index) => {
      const from = minute - (periods - index) * length;
      const counts = Array.from({ length }, (_each, one) => samples(from + one)).filter((count) => count > 0);
      return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
    });
    const next = stateOf(alarm, range);
    if (next !== state && (actions[next] ?? []).length > 0) told.push({ minute, state: next });
    state = next;
  }
  return told;
}
