// Owns reading the recordings of a real ComfyUI 0.8.0, and what a replay changes about them: paths and waits.
// Refuses to soften a recording: what is compared is decided in simulated-comfyui-compare.ts.
import { readFileSync } from 'node:fs';

type Binary = { binary_bytes: number; first_16_bytes_hex: string };
export interface RecordedRun {
  request: { 'POST /prompt': RecordedPrompt };
  answer: [number, unknown];
  events: [seconds: number, { type: string; data: Record<string, unknown> } | Binary][];
  history: Record<string, unknown>;
  queue_after: unknown;
}
export interface RecordedPrompt {
  prompt: Record<string, { class_type: string; inputs: Record<string, unknown> }>;
  client_id: string;
  prompt_id: string;
  extra_data: object;
}
export type RecordedCall = [method: string, path: string, body: unknown, status: number, answer: unknown];
export interface RecordedCase {
  case: string;
  request?: unknown;
  sent?: string;
  status: number;
  body: unknown;
}

const read = (name: string, change: (text: string) => string) =>
  JSON.parse(change(readFileSync(new URL(`../traces/${name}.json`, import.meta.url), 'utf8'))) as unknown;

const asRecorded = (text: string) => text;
/** A slow node need not be that slow here; the request and all that quotes it change alike. */
const tenTimesAsFast = (text: string) => text.replaceAll(/"ms": (\d+)0\b/g, '"ms": $1');
const inFolder = (folder: string) => (text: string) => text.replaceAll('/opt/ComfyUI/input', folder);

export const recordedRun = (name: string, inputDirectory = '') =>
  read(name, (text) => inFolder(inputDirectory)(tenTimesAsFast(text))) as RecordedRun;

export const recordedCalls = (name: string, inputDirectory = '') =>
  (read(name, (text) => inFolder(inputDirectory)(tenTimesAsFast(text))) as { calls: RecordedCall[] }).calls;

export const recordedRefusals = () => {
  const trace = read('refused', asRecorded) as Record<string, unknown>;
  return Object.values(trace).find((value) => Array.isArray(value)) as RecordedCase[];
};

export const recordedObjectInfo = () => read('../../functions/comfyui/recorded-object-info', asRecorded);
