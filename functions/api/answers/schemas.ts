// The schemas of the API's answers by the names that the OpenAPI document gives them.

import type * as z from 'zod';
import * as admin from './admin.ts';
import * as jobs from './jobs.ts';
import * as service from './service.ts';
import * as webhooks from './webhooks.ts';
import * as workflows from './workflows.ts';

/** test/api/answers.test.ts compares real answers with these. */
export const ANSWERS = {
  Error: jobs.problem,
  Accepted: jobs.accepted,
  Job: jobs.job,
  JobStatus: jobs.status,
  JobPreview: jobs.preview,
  Jobs: jobs.jobs,
  JobDetails: jobs.details,
  Queue: jobs.queue,
  Cancelled: jobs.cancelled,
  Cleared: jobs.cleared,
  Outputs: jobs.outputs,
  PictureMetadata: jobs.pictureMetadata,
  History: jobs.history,
  Removed: jobs.removed,
  Uploaded: jobs.uploaded,
  Uploads: jobs.uploads,
  UploadLink: jobs.uploadLink,
  Webhooks: webhooks.webhooks,
  Webhook: webhooks.webhook,
  OwnersWebhooks: webhooks.ownersWebhooks,
  WebhookEvent: webhooks.event,
  WebhookSecret: webhooks.secret,
  Workflows: workflows.workflows,
  Workflow: workflows.workflow,
  WorkflowProposal: workflows.workflowProposal,
  WorkflowRemoved: workflows.workflowRemoved,
  WorkflowSaved: workflows.workflowSaved,
  Usage: service.usage,
  System: service.system,
  Healthy: service.healthy,
  Unhealthy: service.unhealthy,
  HostList: admin.hosts,
  QueueByOwner: admin.queueByOwner,
  Hours: admin.hours,
  Failures: admin.failures,
  Key: admin.key,
  Keys: admin.keys,
  NewKey: admin.newKey,
  OwnerLimits: admin.ownerLimits,
  OwnersLimits: admin.ownersLimits,
  UsageByDay: admin.usageByDay,
} as const satisfies Record<string, z.ZodType>;
