// The trace that a job belongs to: the caller's, by the headers `traceparent` and `tracestate`, or one of its own. Source:
// W3C Trace Context, Levels 1 and 2. Pure: random bytes come in as arguments.

/** As it goes on from here. */
export interface Trace {
  /** A valid `traceparent` of version 00. */
  parent: string;
  /** A valid `tracestate`; absent: none came. */
  state?: string;
}

/** A job's request, as far as its trace is concerned. */
interface Traced {
  jobId: string;
  trace?: Trace;
}

/** What each version begins with: version, trace id, parent id and flags. */
const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;
/** Flags that are defined: sampled, and a trace id that was drawn at random. */
const KNOWN_FLAGS = 0x03;

/** Characters of a `tracestate` that are carried, the least that the standard asks for. */
const MOST_STATE = 512;
/** The first to go where there are more. */
const LONG_MEMBER = 128;
const MOST_MEMBERS = 32;
const KEY = /^(?:[a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/;
/** Printable ASCII without comma and equals sign, not ending with a blank. */
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** Undefined: there is none, or none that is valid; then a `tracestate` is not looked at. */
export function readTrace(parent: string | undefined, state: string | undefined): Trace | undefined {
  const [, version, traceId = '', parentId = '', flags = '', rest] = PARENT.exec(parent ?? '') ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (ZEROS.test(traceId) || ZEROS.test(parentId)) return undefined;
  const known = (Number.parseInt(flags, 16) & KNOWN_FLAGS).toString(16).padStart(2, '0');
  const carried = readState(state);
  return {
    parent: `00-${traceId}-${parentId}-${known}`,
    ...(carried !== undefined && { state: carried }),
  };
}

/** Undefined: none, or one that cannot be read as a whole. */
function readState(given: string | undefined): string | undefined {
  const members = (given ?? '')
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
  const keys = new Set<string>();
  for (const member of members) {
    const at = member.indexOf('=');
    const key = member.slice(0, Math.max(0, at));
    if (!KEY.test(key) || !VALUE.test(member.slice(at + 1)) || keys.has(key)) return undefined;
    keys.add(key);
  }
  if (members.length === 0 || members.length > MOST_MEMBERS) return undefined;
  return withinLimit(members);
}

/** Members are dropped whole: first long ones, then those at the end. */
function withinLimit(members: readonly string[]): string | undefined {
  const isOver = (some: readonly string[]) => some.join(',').length > MOST_STATE;
  let kept = isOver(members) ? members.filter(({ length }) => length <= LONG_MEMBER) : members;
  while (isOver(kept)) kept = kept.slice(0, -1);
  return kept.length === 0 ? undefined : kept.join(',');
}

/** Of a job that came without a trace it is made from the job's id, which is as random: nothing need be stored. */
export function traceIdOf({ jobId, trace }: Traced): string {
  return trace?.parent.slice(3, 35) ?? jobId.replaceAll('-', '');
}

/** The headers of a request that is sent for a job. @param random 8 bytes, the id of this request in its trace */
export function traceHeaders(
  request: Traced,
  random: Uint8Array,
): { traceparent: string; tracestate?: string } {
  const { trace } = request;
  const drawn = Buffer.from(random).toString('hex');
  const parentId = ZEROS.test(drawn) ? '0000000000000001' : drawn;
  // Its lines are in the log, so a trace that begins here counts as recorded.
  const flags = trace?.parent.slice(-2) ?? '01';
  return {
    traceparent: `00-${traceIdOf(request)}-${parentId}-${flags}`,
    ...(trace?.state !== undefined && { tracestate: trace.state }),
  };
}
