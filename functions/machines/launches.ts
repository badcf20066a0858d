// Why EC2 did not launch an instance, by the text of Auto Scaling's activities, which has no codes. Pure.

import type { LaunchProblem } from '../core/fleet.ts';

/** The parts of an activity that are read. */
export interface Activity {
  /** "Launching a new EC2 instance: i-0abc" */
  description: string;
  /** "Successful", "Failed", "InProgress", … */
  status: string;
  message: string;
  /** Its end, or its start while it is in progress; ms. */
  at: number;
}

export interface LaunchFailure {
  code: LaunchProblem;
  /** For a person; completes "no gpu host can be started: …". */
  reason: string;
  at: number;
}

/**
 * The last launch that ended, if it failed. Launches in progress or cancelled are skipped.
 * @param activities newest first, as Auto Scaling lists them
 */
export function lastLaunchFailure(activities: readonly Activity[]): LaunchFailure | undefined {
  const last = activities
    .filter(({ description }) => /^launching/i.test(description))
    .find(({ status }) => status === 'Successful' || status === 'Failed');
  return last?.status === 'Failed' ? { ...explain(last.message), at: last.at } : undefined;
}

/** The first match counts: specific causes before general ones. */
const PROBLEMS: { code: LaunchProblem; when: RegExp; reason: string }[] = [
  {
    code: 'quota',
    when: /VcpuLimitExceeded|more vCPU capacity than your current vCPU limit|MaxSpotInstanceCountExceeded|InstanceLimitExceeded/i,
    reason:
      "the account's quota of vCPUs for GPU instances is used up or 0; npm run doctor says how to raise it",
  },
  {
    // AWS gives it the code of a wrong template: InvalidParameterCombination.
    code: 'free_plan',
    when: /not eligible for Free Tier|free-tier-eligible/i,
    reason:
      "the account is on AWS's Free plan, which has no GPU instances; npm run doctor says how to change to the Paid plan",
  },
  {
    code: 'account',
    when: /PendingVerification|OptInRequired|currently blocked|being validated/i,
    reason: 'AWS has not cleared this account for EC2 yet',
  },
  {
    code: 'bad_template',
    when: /launch template|launch configuration|InvalidAMI|\bAMI\b|image id|ssm.{0,3}parameter|ParameterNotFound|InvalidParameter|security group .*does not exist|InvalidGroup|subnet .*does not exist|InvalidSubnet/i,
    reason:
      'the launch template names something that is gone, such as the machine image; npm run deploy writes it anew',
  },
  {
    code: 'not_allowed',
    when: /UnauthorizedOperation|not authorized|AccessDenied|IamInstanceProfile|KMS/i,
    reason: 'AWS refuses the launch for lack of permission',
  },
  {
    code: 'no_capacity',
    when: /InsufficientInstanceCapacity|InsufficientHostCapacity|UnfulfillableCapacity|SpotMaxPriceTooLow|do not have sufficient|no Spot capacity|not supported in your requested Availability Zone/i,
    reason:
      'AWS has no GPU instance of the chosen types free in this region at the moment; it is asked again and again',
  },
];

const LONGEST_MESSAGE = 200;

function explain(message: string): { code: LaunchProblem; reason: string } {
  const known = PROBLEMS.find(({ when }) => when.test(message));
  if (known) return { code: known.code, reason: known.reason };
  const said = message.replaceAll(/\s+/g, ' ').trim().slice(0, LONGEST_MESSAGE);
  return { code: 'launch_failed', reason: `the launch failed: ${said || 'Auto Scaling does not say why'}` };
}
