// `get_job` and `cancel_job`: a caller's own jobs, however they were asked for.

import { AppError } from '../../core/errors.ts';
import { cancelJob } from '../admission/cancel.ts';
import { ownJob } from '../admission/own-job.ts';
import { INLINE, inlineOf, JOB_ID, jobIdOf, refuseOthers, WAIT_SECONDS, waitOf } from './arguments.ts';
import { jobResult } from './job-result.ts';
import type { Tool } from './tool.ts';
import { waited } from './wait.ts';

export const getJob: Tool = {
  name: 'get_job',
  title: 'A job and its images',
  scope: 'read',
  annotations: { readOnlyHint: true, openWorldHint: false },
  describe: () => 'How a job stands; its images when it has ended, for which it waits',
  inputs: { job_id: JOB_ID, wait_seconds: WAIT_SECONDS, inline: INLINE },
  required: ['job_id'],
  async call(deps, call, given) {
    refuseOthers(given, Object.keys(this.inputs), this.required);
    const ms = waitOf(given);
    const inline = inlineOf(given);
    const job = await ownJob(deps, call.c.get('caller'), jobIdOf(given['job_id']));
    return jobResult(deps, call, await waited(deps, call, job, ms), inline);
  },
};

export const cancelJobTool: Tool = {
  name: 'cancel_job',
  title: 'Cancel a job',
  scope: 'generate',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  describe: () => 'Ends a job that waits or runs; what it has made is not kept',
  inputs: { job_id: JOB_ID },
  required: ['job_id'],
  async call(deps, call, given) {
    refuseOthers(given, Object.keys(this.inputs), this.required);
    const caller = call.c.get('caller');
    const id = jobIdOf(given['job_id']);
    const ended = await cancelJob(deps, caller, id);
    if (ended) throw new AppError('already_ended', `The job has ended already: it is ${ended.status}`);
    return jobResult(deps, call, await ownJob(deps, caller, id), false);
  },
};
