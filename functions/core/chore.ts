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
