// May a link's type enter an input? Source: comfy_execution/validation.py of 0.33.0.

/** Match types are the page's matter: ComfyUI does not hold their templates against each other. */
const ANY = ['*', 'COMFY_MATCHTYPE_V3'];

/** Both are a type name, several separated by commas, or a list of values. */
export function takes(wanted: unknown, received: unknown): boolean {
  if ([wanted, received].some((one) => typeof one === 'string' && ANY.includes(one))) return true;
  if (Array.isArray(received) && wanted === 'COMBO') return true;
  if (typeof wanted !== 'string' || typeof received !== 'string')
    return JSON.stringify(wanted) === JSON.stringify(received);
  const [into, from] = [partsOf(wanted), partsOf(received)];
  return [...into, ...from].includes('*') || from.some((one) => into.includes(one));
}

function partsOf(types: string): string[] {
  return types.split(',').map((one) => one.trim());
}
