// Whether an API answers, and the health that it reports. Has no knowledge of where it runs.

import { reasonOf } from '../api.ts';
import { type Finding, Found, lacking, next, notChecked, ok } from './check.ts';

const LIMIT = 8000;

export interface Asked {
  status: number;
  body: Record<string, unknown>;
}

/** @throws Found if nothing answers, or what answers is not this API */
export async function ask(
  url: string,
  path: string,
  key: string | undefined,
  advice: string,
): Promise<Asked> {
  try {
    const response = await fetch(url + path, {
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
      redirect: 'manual',
      signal: AbortSignal.timeout(LIMIT),
    });
    const location = response.headers.get('location');
    if (location !== null)
      throw lacking(`${url} sends on to ${new URL(location, url).origin} (${response.status})`, advice);
    const body: unknown = await response.json().catch((error: unknown) => {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    });
    if (typeof body !== 'object' || body === null)
      throw lacking(`what answers at ${url} is not this API (${response.status})`, advice);
    return { status: response.status, body: body as Record<string, unknown> };
  } catch (error) {
    if (error instanceof Found) throw error;
    throw lacking(`${url} does not answer (${reasonOf(error)})`, advice);
  }
}

/** @param advice for an API that does not answer; @param keyAdvice how to get the key */
export async function apiFinding(
  url: string,
  key: string | undefined,
  advice: string,
  keyAdvice: string,
): Promise<Finding> {
  const { status, body } = await ask(url, '/api/health', key, advice);
  if (status === 401 && key === undefined) return ok(`${url} answers; to see more: ${keyAdvice}`);
  if (status === 401 || status === 403)
    return next(
      `${url} refuses the key in API_KEY: ${sentenceOf(body)}`,
      body['code'] === 'not_through_cloudfront' ? 'npm run doctor -- --aws says the address' : keyAdvice,
    );
  if (typeof body['status'] !== 'string')
    return next(`what answers at ${url} is not this API (${status})`, advice);
  return ok(`${url} answers`);
}

/** Of a host, in `GET /api/health`. */
interface HostView {
  comfyui: string;
  /** Null where its machine has one ComfyUI. */
  comfyui_url: string | null;
  trouble: string | null;
}

const inWords = ({ comfyui_url: url, trouble }: HostView) => `${url} (${trouble ?? 'silent'})`;

/** ComfyUI, hosts and jobs as the API reports them. */
export async function comfyuiFinding(url: string, key: string | undefined, advice: string): Promise<Finding> {
  const { status, body } = await ask(url, '/api/health', key, advice);
  if (status === 401) return notChecked('without the key');
  if (body['status'] !== 'healthy')
    return next(
      `it is silent: jobs wait (${sentenceOf(body)})`,
      'start ComfyUI where COMFYUI_HOST and COMFYUI_PORT, or COMFYUI_URLS, say, or COMFYUI_MODE=simulated npm start',
    );
  const { hosts } = (body['system'] ?? {}) as { hosts?: HostView[] };
  const silent = (hosts ?? []).filter(
    ({ comfyui, comfyui_url: url }) => comfyui === 'silent' && url !== null,
  );
  if (silent.length > 0)
    return next(
      `${silent.length} of ${hosts!.length} take no jobs: ${silent.map(inWords).join('; ')}`,
      'start those, or take them out of COMFYUI_URLS',
    );
  const simulated = body['simulated'] === true ? ', simulated: no model paints' : '';
  return ok(
    `${String(body['comfyui'])}, ${hosts?.length ?? 0} host${hosts?.length === 1 ? '' : 's'}${simulated}`,
  );
}

export async function jobsFinding(url: string, key: string | undefined, advice: string): Promise<Finding> {
  const { status, body } = await ask(url, '/api/queue', key, advice);
  if (status === 401) return notChecked('without the key');
  const total = body['total_jobs'];
  if (status !== 200 || typeof total !== 'number')
    return next(`the queue cannot be read: ${sentenceOf(body)}`, advice);
  return ok(total === 0 ? 'none wait or run' : `${total} wait or run`);
}

function sentenceOf(body: Record<string, unknown>): string {
  return typeof body['error'] === 'string' ? body['error'] : JSON.stringify(body).slice(0, 100);
}
