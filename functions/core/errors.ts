// One error class for everything that a caller, or the person who starts a process, can act on.
// It does not cover bugs: those stay plain errors and become a 500 without a word of detail.

/** Stable for machines; each maps to one HTTP status in api/http/problems.ts. */
export type ErrorCode =
  | 'missing_field'
  | 'unknown_field'
  | 'invalid_field'
  | 'invalid_json'
  | 'invalid_image'
  | 'unknown_workflow'
  | 'unsupported_media_type'
  | 'body_too_large'
  | 'job_not_found'
  | 'image_not_found'
  | 'webhook_not_found'
  | 'workflow_not_found'
  | 'route_not_found'
  | 'method_not_allowed'
  | 'already_ended'
  | 'not_ended'
  | 'upload_in_use'
  | 'image_in_use'
  | 'idempotency_mismatch'
  | 'range_not_satisfiable'
  | 'too_many_waiting'
  | 'too_many_readers'
  | 'too_many_requests'
  | 'too_many_unfinished'
  | 'images_used_up'
  | 'budget_used_up'
  | 'uploads_used_up'
  | 'origin_not_allowed'
  | 'host_not_allowed'
  | 'comfyui_not_responding'
  | 'bad_template'
  | 'bad_setting'
  | 'in_use'
  | 'unauthorized'
  | 'forbidden'
  | 'bad_event';

export interface ErrorDetails {
  field?: string;
  [key: string]: unknown;
}

export class AppError extends Error {
  override readonly name = 'AppError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details?: ErrorDetails,
  ) {
    super(message);
  }
}
