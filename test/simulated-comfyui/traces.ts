// Owns reading the recordings of real ComfyUIs, 0.8.0 and 0.33.0, and what a replay changes about them: paths and waits.
// Refuses to soften a recording: what is compared is decided in simulated-comfyui-compare.ts.
import { readFileSync } from 'node:fs';

export type Version = '0.8' | '0.33';
type Binary = { binary_bytes: number; first_16_bytes_hex: string };
export interface RecordedRun {
  request: { 'POST /prompt': RecordedPrompt };
  answer: [number, unknown];
  events: [seconds: number, { type: string; data: Record<string, unknown> } | Binary][];
  /** [seconds, { what was asked: what was answered }] */
  polls: [number, Record<string, unknown>][];
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

const folders: Record<Version, string> = { '0.8': 'traces/', '0.33': 'traces/v033/' };
const nodes: Record<Version, string> = {
  '0.8': '../simulated-comfyui/recorded-0.8.json',
  '0.33': '../functions/comfyui/recorded-object-info.json',
};

/** A slow node need not be that slow here; the request and all that quotes it change alike. */
const tenTimesAsFast = (text: string) => text.replaceAll(/"ms": (\d+)0\b/g, '"ms": $1');

/** Wherever the input folder is. */
export const inNoFolder = <Said>(said: Said) =>
  JSON.parse(JSON.stringify(said).replaceAll(/\/[^\s"']*\/input\//g, '/input/')) as Said;

const read = (path: string) =>
  inNoFolder(JSON.parse(tenTimesAsFast(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'))));

export type Recordings = ReturnType<typeof recordingsOf>;

export function recordingsOf(version: Version) {
  const one = (name: string): unknown => read(`${folders[version]}${name}.json`);
  const calls = (name: string) => (one(name) as { calls: RecordedCall[] }).calls;
  return {
    run: (name: string) => one(name) as RecordedRun,
    calls,
    refusals: () =>
      Object.values(one('refused') as object).find((value) => Array.isArray(value)) as RecordedCase[],
    objectInfo: () => read(nodes[version]) as Record<string, { input: { required: { image?: [string[]] } } }>,
    /** Of 0.8.0, which 0.33.0 was not recorded with: the same, but for what it says that it can do. */
    previews(name: 'previews' | 'previews-plain'): RecordedRun {
      const recorded = read(`${folders['0.8']}${name}.json`) as RecordedRun;
      const features = calls('queries').find(([, path]) => path === '/features')![4] as Record<
        string,
        unknown
      >;
      for (const [, event] of recorded.events)
        if ('type' in event && event.type === 'feature_flags') event.data = features;
      const asked = recorded.request['POST /prompt'];
      asked.extra_data = { ...asked.extra_data, preview_method: 'latent2rgb' };
      const [, , , kept] = (recorded.history[asked.prompt_id] as { prompt: [0, 0, 0, object] }).prompt;
      Object.assign(kept, asked.extra_data);
      return recorded;
    },
  };
}

/**
 * Numbers of prompts as if the first had been `first`: who was recorded had a life before, and a refused prompt takes
 * a number too.
 */
export function numberedFrom(first: number, said: unknown): unknown {
  if (Array.isArray(said)) {
    const isItem = typeof said[0] === 'number' && typeof said[1] === 'string' && said.length === 5;
    return said.map((one, index) => (isItem && index === 0 ? one - first : numberedFrom(first, one)));
  }
  if (typeof said !== 'object' || said === null) return said;
  return Object.fromEntries(
    Object.entries(said).map(([key, value]) => {
      const isNumber = typeof value === 'number' && (key === 'number' || key === 'priority');
      return [key, isNumber ? value - first : numberedFrom(first, value)];
    }),
  );
}

export const numberOf = ([, answer]: [number, unknown]) => (answer as { number: number }).number;
