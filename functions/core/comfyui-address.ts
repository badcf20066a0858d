// Parses ComfyUI's address from settings: a host name, an address with or without a port, or a whole URL with a path and
// a password, as behind a proxy. Refuses what it cannot parse; makes no request.

export interface ComfyUIAddress {
  /** http or https, without trailing slash or password: safe to log. */
  url: string;
  /** For every request and the WebSocket: the authorization that a proxy asks for. */
  headers: Record<string, string>;
}

export const COMFYUI_PORT = 8188;

/**
 * @param host as COMFYUI_HOST has it
 * @param port as COMFYUI_PORT has it; a host that is no URL and names none listens at 8188
 * @param authorization a whole `Authorization` header; it takes precedence over a password in the URL
 * @returns the address, or where it cannot be parsed a phrase that completes "COMFYUI_HOST …"
 */
export function parseComfyUIAddress(
  host: string,
  port?: number,
  authorization?: string,
): ComfyUIAddress | string {
  const whole = /^https?:\/\//i.test(host);
  // An IPv6 address without brackets has no port.
  const bare = !whole && /^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.%]*$/i.test(host);
  const text = whole ? host : `http://${bare ? `[${host}]` : host}`;
  if (/\s/.test(host) || !URL.canParse(text)) return UNREADABLE;
  const parsed = new URL(text);
  if (parsed.search !== '' || parsed.hash !== '') return 'must not have a query or a fragment';
  const own = ownPort(text);
  if (own !== undefined && port !== undefined && own !== port)
    return `names port ${own} and COMFYUI_PORT is ${port}; leave one of them out`;
  const wanted = own ?? port ?? (whole ? undefined : COMFYUI_PORT);
  if (wanted !== undefined) parsed.port = String(wanted);
  const basic =
    parsed.username === '' && parsed.password === ''
      ? undefined
      : `Basic ${Buffer.from(`${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`).toString('base64')}`;
  const header = authorization ?? basic;
  return {
    url: `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`,
    headers: header === undefined ? {} : { authorization: header },
  };
}

export const UNREADABLE =
  'must be a host name or an address, such as 127.0.0.1, [::1]:8188 or https://user:password@comfy.example/path';

/** `URL` drops the scheme's default port, which may still contradict COMFYUI_PORT. */
function ownPort(text: string): number | undefined {
  const port = /^https?:\/\/(?:[^/@]*@)?(?:\[[^\]]*\]|[^/:]*):(\d+)/i.exec(text)?.[1];
  return port === undefined ? undefined : Number(port);
}
