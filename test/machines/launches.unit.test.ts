// Why a launch failed, from the words of Auto Scaling's activities.

import { expect, test } from 'vitest';
import { type Activity, lastLaunchFailure } from '../../functions/machines/launches.ts';

const activity = (status: string, message = '', at = 1000): Activity => ({
  description: 'Launching a new EC2 instance: i-0abc',
  status,
  message,
  at,
});

test.each([
  [
    'quota',
    'You have requested more vCPU capacity than your current vCPU limit of 0 allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit. Launching EC2 instance failed.',
  ],
  [
    'quota',
    'Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more vCPU capacity than your current vCPU limit of 0 allows for the instance bucket that the specified instance type belongs to. Launching EC2 instance failed.',
  ],
  [
    'quota',
    'Could not launch Spot Instances. MaxSpotInstanceCountExceeded - Max spot instance count exceeded. Launching EC2 instance failed.',
  ],
  [
    'no_capacity',
    'We currently do not have sufficient g6e.2xlarge capacity in the Availability Zone you requested (us-east-1a). Our system will be working on provisioning additional capacity. Launching EC2 instance failed.',
  ],
  [
    'no_capacity',
    'Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not have sufficient g6e.2xlarge capacity. Launching EC2 instance failed.',
  ],
  [
    'no_capacity',
    'Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity due to your request configuration. Please adjust your request and try again. Launching EC2 instance failed.',
  ],
  [
    'bad_template',
    'The specified launch template, with template ID lt-0abc, does not exist. Launching EC2 instance failed.',
  ],
  ['bad_template', "The image id '[ami-0abc]' does not exist. Launching EC2 instance failed."],
  [
    'bad_template',
    'Could not resolve the SSM parameter /aws/service/deeplearning/ami/x86_64/latest/ami-id. Launching EC2 instance failed.',
  ],
  [
    'not_allowed',
    'You are not authorized to perform this operation. Encoded authorization failure message: abc. Launching EC2 instance failed.',
  ],
  [
    'account',
    'PendingVerification - Your request for accessing resources in this region is being validated. Launching EC2 instance failed.',
  ],
  [
    'free_plan',
    "InvalidParameterCombination - The specified instance type is not eligible for Free Tier. For a list of Free Tier instance types, run 'describe-instance-types' with the filter 'free-tier-eligible=true'. Launching EC2 instance failed.",
  ],
  [
    'free_plan',
    'Could not launch On-Demand Instances. InvalidParameterCombination - The instance type g6e.2xlarge is not eligible for Free Tier. Launching EC2 instance failed.',
  ],
  ['launch_failed', 'Something new. Launching EC2 instance failed.'],
])('%s: %s', (code, message) => {
  expect(lastLaunchFailure([activity('Failed', message)])).toMatchObject({ code, at: 1000 });
});

test('an unknown message is shown as it is, and shortened', () => {
  expect(lastLaunchFailure([activity('Failed', `Odd.\n  ${'x'.repeat(500)}`)])!.reason).toMatch(
    /^the launch failed: Odd\. x{190,}$/,
  );
  expect(lastLaunchFailure([activity('Failed')])!.reason).toBe(
    'the launch failed: Auto Scaling does not say why',
  );
});

test('only the last launch that ended counts', () => {
  const failed = activity('Failed', 'VcpuLimitExceeded');
  const ended = { ...activity('Failed', 'x'), description: 'Terminating EC2 instance: i-0abc' };
  expect(lastLaunchFailure([])).toBeUndefined();
  expect(lastLaunchFailure([activity('Successful'), failed])).toBeUndefined();
  expect(lastLaunchFailure([ended, activity('InProgress'), activity('Cancelled'), failed])).toMatchObject({
    code: 'quota',
  });
});
