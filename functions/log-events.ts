// Every event of the log, with its level and fields: an interface, since alarms, queries and people rely on the names.
// docs/operations.md says what each means and what to do; test/log-events.unit.test.ts compares the two. log.ts takes no
// other event, and each with exactly its fields.

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof LEVELS)[number];

/** What runs again and again. */
export const ROUNDS = [
  'heartbeat',
  'health',
  'poll',
  'watchdog',
  'cleanup',
  'follow_up',
  'retirement',
  'ledger',
  'forward',
  'control',
  'webhooks',
  'retention',
  'workflows',
] as const;
export type RoundName = (typeof ROUNDS)[number];

/** A field has one name, one type and one meaning everywhere. */
export interface LogField {
  action: string;
  attempt: number;
  by: string;
  choreId: string;
  code: string;
  count: number;
  day: string;
  deliveryId: string;
  error: string;
  exitCode: number;
  file: string;
  filename: string;
  folder: string;
  gaveUp: boolean;
  hostId: string;
  items: number;
  jobId: string;
  key: string;
  keyId: string;
  method: string;
  missing: string;
  ms: number;
  objects: number;
  owner: string;
  parts: Record<string, number>;
  path: string;
  program: string;
  promptId: string;
  readShards: number;
  reason: string;
  remaining: number;
  requestId: string;
  round: RoundName;
  sequenceNumber: string;
  signal: string;
  status: number;
  stderr: string;
  target: string;
  traceId: string;
  trouble: string;
  type: string;
  url: string;
  verb: string;
  workflow: string;
  workflows: string;
  writeShards: number;
  written: boolean;
}

export type LogFieldName = keyof LogField;

interface Declared {
  level: Level;
  /** Beside `at`, `level`, `service` and `event`; level `error` has `error` and `stack` too. */
  fields: readonly LogFieldName[];
}

export const LOG_EVENTS = {
  'attempt.crashed': { level: 'error', fields: ['jobId', 'hostId', 'attempt'] },
  'attempt.fenced_out': { level: 'warn', fields: ['jobId', 'hostId', 'attempt'] },
  'attempt.lost': { level: 'warn', fields: ['jobId', 'hostId', 'attempt', 'reason', 'traceId'] },
  'attempt.released': { level: 'info', fields: ['jobId', 'hostId', 'attempt', 'reason', 'traceId'] },
  'batch.failed': { level: 'error', fields: ['sequenceNumber'] },
  'boot_report.read_failed': { level: 'error', fields: ['file'] },
  'calls.write_failed': { level: 'warn', fields: ['error'] },
  'child.ended': { level: 'warn', fields: ['program', 'exitCode', 'signal'] },
  'child.restart_failed': { level: 'error', fields: ['program'] },
  'chore.failed': { level: 'error', fields: ['choreId'] },
  'chore.finished': { level: 'info', fields: ['choreId', 'owner', 'count'] },
  'clock.jumped': { level: 'warn', fields: ['ms', 'reason'] },
  'comfyui.answered': { level: 'info', fields: ['url'] },
  'comfyui.awaited': { level: 'info', fields: ['url', 'trouble', 'reason'] },
  'comfyui.poll_failed': { level: 'debug', fields: ['error'] },
  'comfyui.recovered': { level: 'info', fields: ['url', 'trouble'] },
  'comfyui.restart_failed': { level: 'error', fields: ['stderr'] },
  'comfyui.restart_started': { level: 'warn', fields: ['reason'] },
  'comfyui.restarted': { level: 'warn', fields: ['reason'] },
  'comfyui.troubled': { level: 'warn', fields: ['url', 'trouble', 'reason'] },
  'comfyui.went_silent': { level: 'warn', fields: ['url', 'error'] },
  'disk.filled': { level: 'warn', fields: ['requestId', 'path'] },
  'file.removal_failed': { level: 'debug', fields: ['error'] },
  'fleet.change_failed': { level: 'error', fields: ['action', 'target'] },
  'fleet.changed': { level: 'info', fields: ['action', 'target'] },
  'fleet.count_failed': { level: 'warn', fields: ['error'] },
  'fleet.decision_discarded': { level: 'info', fields: [] },
  'fleet.read_failed': { level: 'warn', fields: ['error'] },
  'fleet.start_blocked': { level: 'warn', fields: ['code', 'reason'] },
  'fleet.start_unblocked': { level: 'info', fields: ['code'] },
  'follower.report_failed': { level: 'warn', fields: ['jobId', 'error'] },
  'history.entry_unreadable': { level: 'warn', fields: ['promptId', 'error'] },
  'history.read_failed': { level: 'debug', fields: ['promptId', 'error'] },
  'history.removal_failed': { level: 'debug', fields: ['count', 'error'] },
  'host.became_ready': { level: 'info', fields: ['parts'] },
  'host.heartbeat_failed': { level: 'error', fields: ['hostId'] },
  'host.removal_failed': { level: 'error', fields: ['hostId'] },
  'image.changed': { level: 'warn', fields: ['key'] },
  'image.read_failed': { level: 'warn', fields: ['file', 'error'] },
  'image.staging_failed': { level: 'error', fields: ['jobId'] },
  'image.upload_failed': { level: 'error', fields: ['jobId'] },
  'image.write_failed': { level: 'warn', fields: ['key', 'error'] },
  'input.evicted': { level: 'debug', fields: ['filename'] },
  'input.folder_unused': { level: 'warn', fields: ['reason'] },
  'inventory.folder_failed': { level: 'debug', fields: ['folder', 'error'] },
  'inventory.read_failed': { level: 'warn', fields: ['error'] },
  'inventory.store_failed': { level: 'error', fields: [] },
  'job.accepted': { level: 'info', fields: ['jobId', 'owner', 'workflow', 'traceId'] },
  'job.adopt_failed': { level: 'error', fields: ['jobId', 'hostId', 'attempt'] },
  'job.adopted': { level: 'info', fields: ['jobId', 'hostId', 'attempt', 'traceId'] },
  'job.advance_failed': { level: 'debug', fields: ['jobId', 'error'] },
  'job.cancelled': { level: 'info', fields: ['jobId'] },
  'job.claim_failed': { level: 'error', fields: ['jobId', 'hostId'] },
  'job.claimed': { level: 'info', fields: ['jobId', 'hostId', 'attempt', 'traceId'] },
  'job.completed': { level: 'info', fields: ['jobId', 'hostId', 'attempt', 'ms', 'traceId'] },
  'job.expired': { level: 'warn', fields: ['jobId'] },
  'job.failed': { level: 'info', fields: ['jobId', 'hostId', 'attempt', 'ms', 'code', 'traceId'] },
  'job.incomplete_removed': { level: 'warn', fields: ['jobId'] },
  'job.offered': { level: 'debug', fields: ['jobId', 'hostId', 'status'] },
  'job.removed': { level: 'info', fields: ['jobId', 'count'] },
  'job.skipped': { level: 'debug', fields: ['jobId', 'missing'] },
  'job.touch_failed': { level: 'debug', fields: ['jobId', 'error'] },
  'key.created': { level: 'info', fields: ['keyId', 'owner', 'by'] },
  'key.revoked': { level: 'info', fields: ['keyId', 'owner', 'by'] },
  'limits.set': { level: 'info', fields: ['owner', 'by'] },
  'machine.retired': { level: 'warn', fields: ['reason'] },
  'message.unreadable': { level: 'error', fields: ['promptId', 'type'] },
  'metadata.read_failed': { level: 'debug', fields: ['error'] },
  'nudge.failed': { level: 'debug', fields: ['error'] },
  'offer.failed': { level: 'error', fields: ['jobId'] },
  'offer.unanswered': { level: 'warn', fields: ['jobId', 'hostId', 'error'] },
  'orphans.found': { level: 'warn', fields: ['count'] },
  'orphans.removal_failed': { level: 'debug', fields: ['error'] },
  'orphans.skipped': { level: 'warn', fields: ['count'] },
  'preview.not_read': { level: 'warn', fields: ['jobId', 'error'] },
  'preview.not_stored': { level: 'debug', fields: ['jobId', 'error'] },
  'prompt.foreign_removal_failed': { level: 'debug', fields: ['promptId', 'error'] },
  'prompt.removal_failed': { level: 'warn', fields: ['jobId', 'promptId', 'error'] },
  'prompt.unanswered': { level: 'warn', fields: ['jobId', 'promptId', 'error'] },
  'queue.cleared': { level: 'info', fields: ['owner', 'count', 'remaining'] },
  'queue.read_failed': { level: 'error', fields: [] },
  'queue.resharded': { level: 'info', fields: ['readShards', 'writeShards', 'written'] },
  'record.skipped': { level: 'warn', fields: ['sequenceNumber'] },
  'request.aborted': { level: 'debug', fields: ['requestId', 'path'] },
  'request.answered': { level: 'info', fields: ['requestId', 'method', 'path', 'status', 'ms', 'traceId'] },
  'request.failed': { level: 'error', fields: ['requestId', 'path'] },
  'retention.applied': { level: 'info', fields: ['objects', 'items'] },
  'round.failed': { level: 'error', fields: ['round'] },
  'socket.read_failed': { level: 'warn', fields: ['owner', 'error'] },
  'socket.refused': { level: 'debug', fields: ['error'] },
  'store.unavailable': { level: 'error', fields: ['requestId', 'path'] },
  'sweep.reclaimed': { level: 'warn', fields: ['jobId', 'hostId', 'attempt', 'reason'] },
  'sweep.superseded': { level: 'debug', fields: ['jobId', 'hostId', 'attempt', 'reason'] },
  'table.restore_failed': { level: 'error', fields: ['file'] },
  'table.restored': { level: 'warn', fields: ['file'] },
  'table.write_failed': { level: 'error', fields: ['jobId', 'verb'] },
  'upload.count_failed': { level: 'warn', fields: ['owner', 'error'] },
  'upload.removed': { level: 'info', fields: ['owner', 'filename'] },
  'usage.commit_failed': { level: 'error', fields: ['owner', 'day'] },
  'usage.committed': { level: 'debug', fields: ['owner', 'day', 'count'] },
  'warm_up.crashed': { level: 'error', fields: [] },
  'warm_up.failed': { level: 'warn', fields: ['error'] },
  'watch.read_failed': { level: 'warn', fields: ['count', 'error'] },
  'webhook.delivered': { level: 'info', fields: ['deliveryId', 'jobId', 'owner', 'attempt', 'traceId'] },
  'webhook.delivery_failed': {
    level: 'warn',
    fields: ['deliveryId', 'jobId', 'owner', 'attempt', 'error', 'gaveUp', 'traceId'],
  },
  'webhook.requeued': { level: 'info', fields: ['deliveryId', 'jobId', 'owner'] },
  'webhook.send_failed': { level: 'error', fields: ['deliveryId'] },
  'webhook.take_over_failed': { level: 'error', fields: ['jobId'] },
  'workflow.refused': { level: 'warn', fields: ['reason'] },
  'workflow.removed': { level: 'info', fields: ['workflow', 'owner'] },
  'workflow.saved': { level: 'info', fields: ['workflow', 'owner'] },
  'workflows.reloaded': { level: 'info', fields: ['workflows'] },
  'workspace.filled': { level: 'warn', fields: ['reason'] },
  'workspace.freed': { level: 'info', fields: ['reason'] },
  'workspace.noted': { level: 'warn', fields: ['reason'] },
} as const satisfies Record<`${string}.${string}`, Declared>;

type Events = typeof LOG_EVENTS;

/** The events of a level. */
export type LogEvent<L extends Level = Level> = {
  [E in keyof Events]: Events[E]['level'] extends L ? E : never;
}[keyof Events];

/** All fields of an event, each as null or undefined where it is not known. */
export type FieldsOf<E extends LogEvent> = {
  [F in Events[E]['fields'][number]]: LogField[F] | null | undefined;
};

/** What follows the event in a call: nothing where it has no fields. */
export type FieldsArgument<E extends LogEvent> = Events[E]['fields'] extends readonly []
  ? []
  : [fields: FieldsOf<E>];
