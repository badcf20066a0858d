// What the API has begun and the controller finishes.

/** Cancels the jobs that waited at a moment. */
export interface Chore {
  choreId: string;
  kind: 'clear';
  /** Jobs accepted before this moment, ms in 13 digits. */
  until: string;
  /** Absent: everybody's jobs. */
  owner?: string;
}
