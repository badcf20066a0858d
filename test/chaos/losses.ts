// Whether what was lost had to be lost: an attempt that a host gave up needs a fault that touched it. A socket that
// is silent, cut or lying, an offer that comes late, a bucket or table that stumbles, costs no attempt.

import { attemptPromptId } from '../../functions/core/names.ts';
import { processOf, SHOWS_LIFE, type Version } from './ledger.ts';
import { SCALED } from './scaled.ts';
import type { Deployment } from './deployment.ts';

const OF_COMFYUI = [
  'kill',
  'kill-machine',
  'forget',
  'interrupt',
  'executor-hangs',
  'http-hangs',
  'http-500',
  'half-image',
  'prompt-answer-lost',
  'history-held',
];
const OF_HOST = ['kill', 'kill-machine', 'stop', 'terminate'];
/** Longer than this without the table or the bucket, and a job's deadline may pass. */
const LONG = SCALED.deadline / 2;

/** A host that was taken for dead must have been kept from the table: a bucket or a ComfyUI that is deaf is no reason. */
function checkDeath(
  deployment: Deployment,
  jobId: string,
  versions: readonly Version[],
  index: number,
): void {
  const { ledger, troubles, processes } = deployment;
  const { by, sentAt } = versions[index]!;
  const before = versions[index - 1]!.state;
  const run = ledger.hosts.get(before.host ?? '');
  if (!run) return;
  const host = processOf(run.by);
  const claimed = versions.slice(0, index).findLast(({ verb }) => verb === 'claim' || verb === 'adopt');
  const shown = versions.slice(0, index).findLast(({ verb }) => SHOWS_LIFE.includes(verb));
  if (before.status === 'processing' && sentAt - (shown?.sentAt ?? 0) > SCALED.deadline - SCALED.clockError)
    return;
  const from = (claimed?.sentAt ?? sentAt) - SCALED.deadAfter;
  const excused =
    troubles
      .during(from, sentAt)
      .some(
        ({ kind, target }) =>
          (target === host && OF_HOST.includes(kind)) || kind.startsWith('table-') || target === 'dynamodb',
      ) || processes.get(host)!.exits.some(({ at }) => at >= from && at <= sentAt);
  if (!excused && !deployment.starvation.during(from, sentAt))
    ledger.violate(
      'dead for a reason',
      `${by} took ${run.by} for dead, and nothing kept it from the table`,
      jobId,
    );
}

export function checkLosses(deployment: Deployment): number {
  const { ledger, troubles, processes, starvation } = deployment;
  let lost = 0;
  for (const [jobId, versions] of ledger.jobs)
    for (const [index, { verb, by, at, state }] of versions.entries()) {
      const before = versions[index - 1]?.state;
      if (before?.host !== undefined && by.startsWith('controller'))
        checkDeath(deployment, jobId, versions, index);
      if (!before || state.lostAttempts === before.lostAttempts) continue;
      lost += 1;
      if (by.startsWith('controller')) continue;
      const host = processOf(by);
      const comfyui = host.replace('host', 'comfyui');
      const claimed = versions
        .slice(0, index)
        .findLast((one) => one.verb === 'claim' || one.verb === 'adopt');
      const from = (claimed?.sentAt ?? at) - 500;
      const excused =
        troubles
          .during(from, at)
          .some(
            ({ kind, target, from: began, to }) =>
              (target === comfyui && OF_COMFYUI.includes(kind)) ||
              (target === host && OF_HOST.includes(kind)) ||
              (/^(table|bucket)-(deaf|late|throttled)$/.test(kind) && Math.min(to, at) - began > LONG) ||
              ((target === 'dynamodb' || target === 's3') && Math.min(to, at) - began > LONG / 4),
          ) ||
        [comfyui, host].some((name) =>
          processes.get(name)!.exits.some((exit) => exit.at >= from && exit.at <= at),
        );
      if (!excused && !starvation.during(from, at))
        ledger.violate(
          'lost for a reason',
          `${verb} by ${by} of attempt ${before.attempt} (${attemptPromptId(jobId, before.attempt)}), and nothing was wrong`,
          jobId,
        );
    }
  return lost;
}
