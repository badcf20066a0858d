// One error class for what a caller, or the person who starts a process, can act on.
// Bugs stay plain errors and become a 500 without details.

/** Error codes of HTTP answers, each with its status. Programs may rely on them. */
export const STATUS = {
  missing_field: 400,
  unknown_field: 400,
  invalid_field: 400,
  invalid_json: 400,
  invalid_image: 400,
  checksum_mismatch: 400,
  unknown_workflow: 400,
  bad_workflow: 400,
  bad_request: 400,
  bad_body: 400,
  unauthorized: 401,
  forbidden: 403,
  origin_not_allowed: 403,
  host_not_allowed: 403,
  not_through_cloudfront: 403,
  job_not_found: 404,
  image_not_found: 404,
  webhook_not_found: 404,
  key_not_found: 404,
  workflow_not_found: 404,
  route_not_found: 404,
  method_not_allowed: 405,
  already_ended: 409,
  not_ended: 409,
  upload_in_use: 409,
  workflow_exists: 409,
  workflows_fixed: 409,
  last_workflow: 409,
  image_in_use: 409,
  upload_exists: 412,
  body_too_large: 413,
  unsupported_media_type: 415,
  not_convertible: 415,
  range_not_satisfiable: 416,
  idempotency_mismatch: 422,
  input_not_fetched: 422,
  no_host_can_run: 422,
  too_many_waiting: 429,
  too_many_requests: 429,
  too_many_unfinished: 429,
  images_used_up: 429,
  budget_used_up: 429,
  uploads_used_up: 429,
  internal_error: 500,
  comfyui_not_responding: 503,
  too_many_readers: 503,
  too_many_conversions: 503,
  disk_full: 503,
  unavailable: 503,
} as const;

/** Error codes of programs: no request is answered with them. */
type ProgramError = 'bad_template' | 'bad_setting' | 'in_use' | 'bad_event';

export type AnswerError = keyof typeof STATUS;
export type ErrorCode = AnswerError | ProgramError;

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

/** Has the code an HTTP status? */
export function isOfAnswer(code: ErrorCode): code is AnswerError {
  return Object.hasOwn(STATUS, code);
}
