// Made from the API's OpenAPI document by `npx vitest run test/console/api-types.test.ts -u`.

export type GenerateRequest = { workflow?: "flux2_turbo_default"; preset?: "rtx-4090" | "rtx-4080" | "rtx-3060" | "turbo" | "low" | "medium" | "high"; prompt: string; negative_prompt?: string; steps?: number; cfg?: number; true_cfg?: number; width?: number; height?: number; lora_strength?: number; seed?: number; sampler?: string; scheduler?: string; batch_size?: number; webhook_url?: string; metadata?: { [name: string]: string }; priority?: "low" | "normal" | "high" } | { workflow: "flux2_turbo_controlnet"; preset?: "rtx-4090" | "rtx-4080" | "rtx-3060" | "turbo" | "low" | "medium" | "high"; prompt: string; image: string; negative_prompt?: string; steps?: number; cfg?: number; true_cfg?: number; width?: number; height?: number; low_threshold?: number; high_threshold?: number; lora_strength?: number; seed?: number; sampler?: string; scheduler?: string; batch_size?: number; webhook_url?: string; metadata?: { [name: string]: string }; priority?: "low" | "normal" | "high" } | { workflow: "flux2_turbo_upscale"; preset?: "rtx-4090" | "rtx-4080" | "rtx-3060" | "turbo" | "low" | "medium" | "high"; prompt: string; negative_prompt?: string; steps?: number; cfg?: number; true_cfg?: number; width?: number; height?: number; scale?: number; denoise?: number; lora_strength?: number; seed?: number; sampler?: string; scheduler?: string; batch_size?: number; webhook_url?: string; metadata?: { [name: string]: string }; priority?: "low" | "normal" | "high" };

export type Error = { error: string; code: string; details?: { field?: string } & { [name: string]: unknown } };

export type Accepted = { job_id: string; prompt_id: string; status: "queued"; prompt: string; message: string; workflow: string; seed: number | null; seed_text: string | null; trace_id: string; notes: (string)[] };

export type Job = { job_id: string; prompt_id: string; status: "queued" | "processing" | "completed" | "failed" | "cancelled"; prompt: string; progress: number; current_step: number; total_steps: number; output_image: string | null; error: string | null; error_code: "refused_by_comfyui" | "node_failed" | "input_gone" | "input_refused" | "unreadable_result" | "no_output" | "bad_output" | "output_not_own" | "too_many_outputs" | "lost_too_often" | "too_many_attempts" | "took_too_long" | "expired" | null; created_at: string; started_at: string | null; completed_at: string | null; workflow: string; metadata: { [name: string]: string }; priority: "low" | "normal" | "high"; seed: number | null; seed_text: string | null; attempts: number; trace_id: string; notes: (string)[]; simulated: boolean; gpu_seconds: number | null; cost_usd: number | null };

export type JobStatus = { job_id: string; prompt_id: string; status: "queued" | "processing" | "completed" | "failed" | "cancelled"; prompt: string; progress: number; current_step: number; total_steps: number; output_image: string | null; error: string | null; error_code: "refused_by_comfyui" | "node_failed" | "input_gone" | "input_refused" | "unreadable_result" | "no_output" | "bad_output" | "output_not_own" | "too_many_outputs" | "lost_too_often" | "too_many_attempts" | "took_too_long" | "expired" | null; created_at: string; started_at: string | null; completed_at: string | null; workflow: string; metadata: { [name: string]: string }; priority: "low" | "normal" | "high"; seed: number | null; seed_text: string | null; attempts: number; trace_id: string; notes: (string)[]; simulated: boolean; gpu_seconds: number | null; cost_usd: number | null; event_id: string; queue_position: number | null; waiting_for: string | null; waiting_code: "comfyui_turn" | "comfyui_kind" | "retry" | "free_slot" | "host_starting" | "host_blocked" | "comfyui_silent" | "comfyui_trouble" | "missing_requirements" | null; waiting_detail: string | null; waiting_seconds: number | null; missing: ({ node: string; class_type: string; field: string | null; value: string | null; hosts: (string)[] })[]; eta_seconds: number | null; images: ({ filename: string; width: number; height: number; size_bytes: number; content_type: string; url: string })[]; outputs: ({ filename: string; node: string; order: number; kind: "image" | "video" | "audio" | "text" | "3d" | "latent" | "file"; content_type: string; size_bytes: number; sha256: string | null; width: number | null; height: number | null; url: string })[] };

export type JobPreview = { content_type: "image/jpeg" | "image/png"; image: string; node: string | null; current_step: number | null; total_steps: number | null };

export type Jobs = { jobs: ({ job_id: string; prompt_id: string; status: "queued" | "processing" | "completed" | "failed" | "cancelled"; prompt: string; progress: number; current_step: number; total_steps: number; output_image: string | null; error: string | null; error_code: "refused_by_comfyui" | "node_failed" | "input_gone" | "input_refused" | "unreadable_result" | "no_output" | "bad_output" | "output_not_own" | "too_many_outputs" | "lost_too_often" | "too_many_attempts" | "took_too_long" | "expired" | null; created_at: string; started_at: string | null; completed_at: string | null; workflow: string; metadata: { [name: string]: string }; priority: "low" | "normal" | "high"; seed: number | null; seed_text: string | null; attempts: number; trace_id: string; notes: (string)[]; simulated: boolean; gpu_seconds: number | null; cost_usd: number | null; duration_seconds: number | null; outputs: ({ filename: string; node: string; order: number; kind: "image" | "video" | "audio" | "text" | "3d" | "latent" | "file"; content_type: string; size_bytes: number; sha256: string | null; width: number | null; height: number | null; path: string; thumbnail: string | null })[] })[]; next_cursor: string | null };

export type JobDetails = { job_id: string; prompt_id: string; status: "queued" | "processing" | "completed" | "failed" | "cancelled"; prompt: string; progress: number; current_step: number; total_steps: number; output_image: string | null; error: string | null; error_code: "refused_by_comfyui" | "node_failed" | "input_gone" | "input_refused" | "unreadable_result" | "no_output" | "bad_output" | "output_not_own" | "too_many_outputs" | "lost_too_often" | "too_many_attempts" | "took_too_long" | "expired" | null; created_at: string; started_at: string | null; completed_at: string | null; workflow: string; metadata: { [name: string]: string }; priority: "low" | "normal" | "high"; seed: number | null; seed_text: string | null; attempts: number; trace_id: string; notes: (string)[]; simulated: boolean; gpu_seconds: number | null; cost_usd: number | null; event_id: string; queue_position: number | null; waiting_for: string | null; waiting_code: "comfyui_turn" | "comfyui_kind" | "retry" | "free_slot" | "host_starting" | "host_blocked" | "comfyui_silent" | "comfyui_trouble" | "missing_requirements" | null; waiting_detail: string | null; waiting_seconds: number | null; missing: ({ node: string; class_type: string; field: string | null; value: string | null; hosts: (string)[] })[]; eta_seconds: number | null; images: ({ filename: string; width: number; height: number; size_bytes: number; content_type: string; url: string })[]; outputs: ({ filename: string; node: string; order: number; kind: "image" | "video" | "audio" | "text" | "3d" | "latent" | "file"; content_type: string; size_bytes: number; sha256: string | null; width: number | null; height: number | null; url: string; path: string; thumbnail: string | null })[]; duration_seconds: number | null; owner: string; inputs: { [name: string]: unknown }; host: string | null; claimed_at: string | null; queued_seconds: number | null; lost_attempts: number; failed_node: { node: string; class_type: string; exception: string; message: string } | null };

export type Queue = { queue: { queue_pending: ([number, string])[]; queue_running: ([number, string])[] }; jobs: { [name: string]: Job }; total_jobs: number; next_cursor: string | null };

export type Cancelled = { status: "success"; message: string };

export type Cleared = { status: "success"; message: string; cleared: number; remaining: number };

export type Outputs = { images: (string)[]; total: number; total_is_exact: boolean; output_dir: string; next_cursor: string | null };

export type PictureMetadata = { prompt: { [name: string]: unknown } | null; workflow: { [name: string]: unknown } | null };

export type History = { history: { [name: string]: { prompt: [number, string, { [name: string]: unknown }, { [name: string]: unknown }, (string)[]]; outputs: { [name: string]: { [name: string]: ({ filename: string; subfolder: string; type: "output" })[] } }; status: "success" | "error"; job_id: string; error: string | null } }; total_items: number; total_is_exact: boolean; next_cursor: string | null };

export type Removed = { status: "success"; message: string };

export type Uploaded = { name: string; subfolder: ""; type: "input" };

export type Uploads = { uploads: ({ name: string; size_bytes: number; uploaded_at: string; expires_at: string })[]; next_cursor: string | null };

export type UploadLink = { name: string; uploaded: boolean; upload: { method: "PUT"; url: string; headers: { [name: string]: string }; expires_at: string } | null };

export type Webhooks = { webhooks: (Webhook)[]; next_cursor: string | null };

export type Webhook = { id: string; job_id: string; url: string; type: "job.completed" | "job.failed" | "job.cancelled"; status: "pending" | "delivered" | "failed"; attempts: number; last_status: number | null; last_error: string | null; created_at: string; delivered_at: string | null; next_attempt_at: string | null };

export type OwnersWebhooks = { webhooks: ({ id: string; job_id: string; url: string; type: "job.completed" | "job.failed" | "job.cancelled"; status: "pending" | "delivered" | "failed"; attempts: number; last_status: number | null; last_error: string | null; created_at: string; delivered_at: string | null; next_attempt_at: string | null; owner: string })[]; next_cursor: string | null };

export type WebhookEvent = { type: "job.completed" | "job.failed" | "job.cancelled"; timestamp: string; data: { job_id: string; prompt_id: string; status: "queued" | "processing" | "completed" | "failed" | "cancelled"; prompt: string; progress: number; current_step: number; total_steps: number; output_image: string | null; error: string | null; error_code: "refused_by_comfyui" | "node_failed" | "input_gone" | "input_refused" | "unreadable_result" | "no_output" | "bad_output" | "output_not_own" | "too_many_outputs" | "lost_too_often" | "too_many_attempts" | "took_too_long" | "expired" | null; created_at: string; started_at: string | null; completed_at: string | null; workflow: string; metadata: { [name: string]: string }; priority: "low" | "normal" | "high"; seed: number | null; seed_text: string | null; attempts: number; trace_id: string; notes: (string)[]; simulated: boolean; gpu_seconds: number | null; cost_usd: number | null; event_id: string; queue_position: number | null; waiting_for: string | null; waiting_code: "comfyui_turn" | "comfyui_kind" | "retry" | "free_slot" | "host_starting" | "host_blocked" | "comfyui_silent" | "comfyui_trouble" | "missing_requirements" | null; waiting_detail: string | null; waiting_seconds: number | null; missing: ({ node: string; class_type: string; field: string | null; value: string | null; hosts: (string)[] })[]; eta_seconds: number | null; images: ({ filename: string; width: number; height: number; size_bytes: number; content_type: string })[]; outputs: ({ filename: string; node: string; order: number; kind: "image" | "video" | "audio" | "text" | "3d" | "latent" | "file"; content_type: string; size_bytes: number; sha256: string | null; width: number | null; height: number | null })[] } };

export type WebhookSecret = { secret: string };

export type Workflows = { workflows: (string)[]; titles: { [name: string]: string }; total: number; refused: (string)[]; details?: ({ name: string; title: string; description: string; inputs: (string)[]; models: (string)[]; missing: ({ node: string; class_type: string; field: string | null; value: string | null; hosts: (string)[] })[]; faults: (string)[]; hosts: (string)[] })[]; can_save?: boolean };

export type Workflow = { name: string; title: string; description: string; presets: { [name: string]: { [name: string]: string | number | boolean } }; inputs: { $schema: string; type: "object"; additionalProperties: false; required: (string)[]; properties: { [name: string]: { type: "string" | "integer" | "number" | "boolean" | ("string" | "integer" | "number" | "boolean")[]; title?: string; description?: string; default?: string | number | boolean; minimum?: number; maximum?: number; multipleOf?: number; minLength?: number; maxLength?: number; enum?: (string | number | boolean)[]; "x-input": "string" | "integer" | "number" | "boolean" | "seed" | "choice" | "image" | "audio" | "video" | "file"; "x-mask"?: true } } }; notes: { [name: string]: string }; missing: ({ node: string; class_type: string; field: string | null; value: string | null; hosts: (string)[] })[]; faults: (string)[] };

export type WorkflowProposal = { kind: "api" | "canvas" | "app" | "picture"; title: string | null; graph: { [name: string]: unknown }; inputs_file: { title: string; inputs: { [name: string]: { type: "string" | "integer" | "number" | "boolean" | "seed" | "choice" | "image" | "audio" | "video" | "file"; title: string; required?: boolean; default?: string | number | boolean; minimum?: number; maximum?: number; multiple_of?: number; to: string | (string)[] } } }; candidates: ({ name: string; proposed: boolean; node: string; class_type: string; is_model: boolean; choices: (string | number | boolean)[] | null; input: { type: "string" | "integer" | "number" | "boolean" | "seed" | "choice" | "image" | "audio" | "video" | "file"; title: string; required?: boolean; default?: string | number | boolean; minimum?: number; maximum?: number; multiple_of?: number; to: string | (string)[] } })[]; faults: ({ code: string; message: string; node: string | null; title: string | null; class_type: string | null; field: string | null })[]; notes: (string)[]; models: (string)[]; missing: ({ node: string; class_type: string; field: string | null; value: string | null; hosts: (string)[] })[]; refused: (string)[]; hosts: (string)[] };

export type WorkflowRemoved = { name: string; removed: true };

export type WorkflowSaved = { name: string; replaced: boolean; kept_translations: (string)[] };

export type Usage = { owner: string; scopes: ("generate" | "graphs" | "read" | "admin")[]; limited: false } | { owner: string; scopes: ("generate" | "graphs" | "read" | "admin")[]; limited: true; requests_per_minute: { limit: number | null; remaining: number | null; resets_at: string | null }; unfinished_jobs: { limit: number | null; used: number; remaining: number | null }; images_today: { limit: number | null; used: number; reserved: number; remaining: number | null; resets_at: string }; usd_this_month: { limit: number | null; used: number; estimated: number; remaining: number | null; resets_at: string }; upload_bytes: { limit: number | null; used: number; remaining: number | null }; this_month: { jobs: number; images: number; gpu_seconds: number } };

export type System = { devices: ({ name: string; vram: number; vram_free: number })[]; models: { [name: string]: (string)[] }; hosts: ({ host_id: string; state: "ready" | "draining"; comfyui: "connected" | "silent"; comfyui_version: string | null; comfyui_url: string | null; trouble: string | null; simulated: boolean; slots: number; held: number; seen_at: string; started_at: string })[] };

export type Healthy = { status: "healthy"; comfyui: "connected" | "asleep" | "waking"; output_dir: string; system: { devices: ({ name: string; vram: number; vram_free: number })[]; hosts: ({ host_id: string; state: "ready" | "draining"; comfyui: "connected" | "silent"; comfyui_version: string | null; comfyui_url: string | null; trouble: string | null; simulated: boolean; slots: number; held: number; seen_at: string; started_at: string })[] }; simulated: boolean };

export type Unhealthy = { error: string; code: string; details?: { field?: string } & { [name: string]: unknown }; status: "unhealthy"; trouble: string | null };

export type HostList = { hosts: ({ host_id: string; machine_id: string; zone: string | null; state: "ready" | "draining"; comfyui: "connected" | "silent"; comfyui_version: string | null; comfyui_url: string | null; trouble: string | null; simulated: boolean; release: string | null; devices: ({ name: string; vram: number; vram_free: number })[]; models: (string)[]; slots: number; held: number; seconds_per_job: number | null; running: ({ job_id: string; owner: string; status: "queued" | "processing"; since: string; progress: number })[]; started_at: string; seen_at: string })[]; total: number };

export type QueueByOwner = { waiting: number; held: number; counted_all: boolean; oldest_wait_seconds: number | null; owners: ({ owner: string; waiting: number; held: number; oldest_wait_seconds: number | null })[] };

export type Hours = { interval_seconds: 300; intervals: ({ at: string; completed: number; failed: number; cancelled: number; outputs: number; gpu_seconds: number; wait_seconds: { p50: number | null; p95: number | null }; run_seconds: { p50: number | null; p95: number | null }; webhooks: { delivered: number; failed_tries: number; given_up: number } })[] };

export type Failures = { codes: ({ code: "refused_by_comfyui" | "node_failed" | "input_gone" | "input_refused" | "unreadable_result" | "no_output" | "bad_output" | "output_not_own" | "too_many_outputs" | "lost_too_often" | "too_many_attempts" | "took_too_long" | "expired"; count: number; jobs: ({ job_id: string; owner: string; ended_at: string; error: string | null })[] })[] };

export type Key = { key_id: string; name: string; owner: string; scopes: ("generate" | "graphs" | "read" | "admin")[]; created_at: string; valid_until: string | null; revoked_at: string | null; valid: boolean };

export type Keys = { keys: (Key)[] };

export type NewKey = { key_id: string; name: string; owner: string; scopes: ("generate" | "graphs" | "read" | "admin")[]; created_at: string; valid_until: string | null; revoked_at: string | null; valid: boolean; key: string };

export type OwnerLimits = { owner: string; limits: { requests_per_minute: { set: number | "unlimited" | "default"; limit: number | null; used: number | null }; unfinished_jobs: { set: number | "unlimited" | "default"; limit: number | null; used: number | null }; images_per_day: { set: number | "unlimited" | "default"; limit: number | null; used: number | null }; usd_per_month: { set: number | "unlimited" | "default"; limit: number | null; used: number | null }; upload_mb: { set: number | "unlimited" | "default"; limit: number | null; used: number | null } } };

export type OwnersLimits = { applied: boolean; owners: (OwnerLimits)[]; total: number };

export type UsageByDay = { owner: string; days: ({ day: string; jobs: number; images: number; usd: number; gpu_seconds: number })[] };

/** Of each route: what stands in its path and its query, and what it answers in JSON. */
export interface Routes {
  'POST /api/generate': { path: {  }; query: {  }; answer: Accepted };
  'GET /api/status/{id}': { path: { id: string | number }; query: { wait?: string | number; since?: string | number }; answer: JobStatus };
  'GET /api/status/{id}/events': { path: { id: string | number }; query: { previews?: string | number }; answer: undefined };
  'GET /api/jobs': { path: {  }; query: { limit?: string | number; cursor?: string | number; search?: string | number; workflow?: string | number; state?: string | number; label?: string | number; owner?: string | number }; answer: Jobs };
  'GET /api/jobs/{id}': { path: { id: string | number }; query: {  }; answer: JobDetails };
  'GET /api/jobs/{id}/graph': { path: { id: string | number }; query: {  }; answer: { [name: string]: unknown } };
  'GET /api/queue': { path: {  }; query: { limit?: string | number; cursor?: string | number }; answer: Queue };
  'DELETE /api/queue/{id}': { path: { id: string | number }; query: {  }; answer: Cancelled };
  'POST /api/queue/clear': { path: {  }; query: {  }; answer: Cleared };
  'GET /api/image/{filename}': { path: { filename: string | number }; query: { redirect?: string | number }; answer: undefined };
  'GET /api/image/{filename}/thumbnail': { path: { filename: string | number }; query: {  }; answer: undefined };
  'GET /api/image/{filename}/metadata': { path: { filename: string | number }; query: {  }; answer: PictureMetadata };
  'GET /api/outputs': { path: {  }; query: { limit?: string | number; cursor?: string | number; owner?: string | number }; answer: Outputs };
  'POST /api/upload/image': { path: {  }; query: {  }; answer: Uploaded };
  'POST /api/upload/link': { path: {  }; query: {  }; answer: UploadLink };
  'GET /api/uploads': { path: {  }; query: { limit?: string | number; cursor?: string | number; owner?: string | number }; answer: Uploads };
  'DELETE /api/upload/image/{name}': { path: { name: string | number }; query: { owner?: string | number }; answer: Removed };
  'GET /api/history': { path: {  }; query: { limit?: string | number; cursor?: string | number; owner?: string | number }; answer: History };
  'DELETE /api/history/{id}': { path: { id: string | number }; query: {  }; answer: Removed };
  'GET /api/webhooks': { path: {  }; query: { limit?: string | number; cursor?: string | number; owner?: string | number }; answer: Webhooks };
  'GET /api/webhooks/secret': { path: {  }; query: {  }; answer: WebhookSecret };
  'POST /api/webhooks/{id}/redeliver': { path: { id: string | number }; query: {  }; answer: Webhook };
  'GET /api/workflows': { path: {  }; query: { details?: string | number }; answer: Workflows };
  'GET /api/workflows/{name}': { path: { name: string | number }; query: {  }; answer: Workflow };
  'POST /api/workflows/{name}': { path: { name: string | number }; query: {  }; answer: WorkflowSaved };
  'DELETE /api/workflows/{name}': { path: { name: string | number }; query: {  }; answer: WorkflowRemoved };
  'POST /api/workflows/propose': { path: {  }; query: {  }; answer: WorkflowProposal };
  'GET /api/usage': { path: {  }; query: { owner?: string | number }; answer: Usage };
  'GET /api/system': { path: {  }; query: {  }; answer: System };
  'GET /api/health': { path: {  }; query: {  }; answer: Healthy };
  'GET /api/openapi.json': { path: {  }; query: {  }; answer: { [name: string]: unknown } };
  'GET /api/docs': { path: {  }; query: {  }; answer: undefined };
  'GET /api/docs/{file}': { path: { file: string | number }; query: {  }; answer: undefined };
  'GET /api/admin/hosts': { path: {  }; query: {  }; answer: HostList };
  'GET /api/admin/queue': { path: {  }; query: {  }; answer: QueueByOwner };
  'GET /api/admin/hours': { path: {  }; query: { hours?: string | number }; answer: Hours };
  'GET /api/admin/failures': { path: {  }; query: { hours?: string | number }; answer: Failures };
  'GET /api/admin/keys': { path: {  }; query: {  }; answer: Keys };
  'POST /api/admin/keys': { path: {  }; query: {  }; answer: NewKey };
  'DELETE /api/admin/keys/{keyId}': { path: { keyId: string | number }; query: {  }; answer: Key };
  'GET /api/admin/limits': { path: {  }; query: {  }; answer: OwnersLimits };
  'GET /api/admin/limits/{owner}': { path: { owner: string | number }; query: {  }; answer: OwnerLimits };
  'POST /api/admin/limits/{owner}': { path: { owner: string | number }; query: {  }; answer: OwnerLimits };
  'GET /api/admin/usage': { path: {  }; query: { owner?: string | number; days?: string | number }; answer: UsageByDay };
  'GET /api/admin/webhooks': { path: {  }; query: { owner?: string | number; state?: string | number; limit?: string | number; cursor?: string | number }; answer: OwnersWebhooks };
  'GET /api/metrics': { path: {  }; query: {  }; answer: undefined };
}