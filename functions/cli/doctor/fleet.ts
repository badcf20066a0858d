// The state of a deployment: its controller, GPU hosts, waiting jobs and last problem. Pure: turns what was read into
// lines with what to do.

import type { Fleet, StartProblem } from '../../core/fleet.ts';
import { type Host, instanceOf, isAlive } from '../../core/host.ts';
import { UNWATCHED_AFTER } from '../../core/limits.ts';
import { TIMINGS } from '../../core/timings.ts';
import { type Finding, next, ok } from './check.ts';

export interface Where {
  name: string;
  region: string;
  group: string;
}

const logs = ({ name, region }: Where, room: string) =>
  `aws logs tail /${name}/${room} --since 1h --region ${region}`;
const activities = ({ group, region }: Where) =>
  `aws autoscaling describe-scaling-activities --region ${region} --auto-scaling-group-name ${group} --max-items 5`;

export function controllerFinding(fleet: Fleet, now: number, where: Where): Finding {
  if (fleet.updatedAt === 0) return next('it has not made a round yet', logs(where, 'controller'));
  const ago = Math.max(0, now - fleet.updatedAt);
  return ago <= UNWATCHED_AFTER
    ? ok(`its last round was ${timeOf(ago)} ago`)
    : next(
        `its last round was ${timeOf(ago)} ago; one should be made every minute`,
        logs(where, 'controller'),
      );
}

export function hostsFinding(fleet: Fleet, hosts: readonly Host[], now: number, where: Where): Finding {
  const alive = hosts.filter((host) => isAlive(host, now, TIMINGS));
  const count = (state: (host: Host) => boolean) => alive.filter(state).length;
  const starting = Object.entries(fleet.seen).filter(
    ([id, { upAt }]) => upAt === undefined && !alive.some((host) => instanceOf(host) === id),
  ).length;
  const parts = [
    [count((host) => host.state === 'ready' && host.comfyui), 'ready'],
    [count((host) => host.state === 'ready' && !host.comfyui), 'without an answer from ComfyUI'],
    [count((host) => host.state === 'draining'), 'draining'],
    [Math.max(starting, fleet.desired - Object.keys(fleet.seen).length), 'starting'],
  ] as const;
  const said = parts.flatMap(([number, what]) => (number > 0 ? `${number} ${what}` : [])).join(', ');
  const says = said || 'none, which is what sleeps at zero';
  if (!fleet.blocked) return ok(says);
  const reason = `${said ? `${said}; ` : ''}no gpu host can be started: ${fleet.blocked.reason}`;
  return next(reason, remedyFor(fleet.blocked.code, where));
}

function remedyFor(code: StartProblem, where: Where): string {
  const remedies: Record<StartProblem, string> = {
    quota: 'see the line on the quota above',
    free_plan: 'see the line on the account plan above',
    launch_suspended: `${activities(where)} says why, then aws autoscaling resume-processes --region ${where.region} --auto-scaling-group-name ${where.group} --scaling-processes Launch`,
    no_capacity: 'wait, or add other instanceTypes to cdk.json, then npm run deploy',
    bad_template: 'npm run deploy',
    raise_refused: 'npm run deploy',
    no_hosts_allowed: 'set maxHosts in cdk.json above 0, then npm run deploy',
    // The console output, not the log: the log is the host process's, which writes little before it works.
    never_registered: `${activities(where)}, then aws ec2 get-console-output --latest --output text --region ${where.region} --instance-id INSTANCE`,
    account: activities(where),
    not_allowed: activities(where),
    launch_failed: activities(where),
  };
  return remedies[code];
}

const DAY = 24 * 60 * 60_000;

export function lastErrorFinding(fleet: Fleet, now: number, where: Where): Finding {
  const { lastError } = fleet;
  if (!lastError || now - lastError.at > DAY) return ok('none in the last day');
  return next(`${timeOf(now - lastError.at)} ago: ${lastError.message}`, logs(where, 'controller'));
}

function timeOf(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  if (minutes < 1) return `${Math.floor(Math.max(0, ms) / 1000)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}
