// A chore: work that the API began and the controller finishes.

/** Cancels the jobs that waited at a moment. */
export interface Chore {
  choreId: string;
  kind: 'clear';
  /** Jobs accepted before this moment, ms in 13 digits. */
  until: string;
  /** Absent: the jobs of all owners. */
  owner?: string;
}

/** The `until` that covers every job accepted up to and with `now`, ms. */
export function acceptedUntil(now: number): string {
  return String(now + 1).padStart(13, '0');
}
