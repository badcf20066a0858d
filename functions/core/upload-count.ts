// The counted size of an owner's uploads. The bucket is the truth.

/** An upload that has begun and is not known to be in the bucket. */
export interface UploadReservation {
  name: string;
  bytes: number;
  /** When it began, ms. */
  at: number;
}

export interface UploadCount {
  owner: string;
  /** Rises by one with each upload that begins; 0: none has. */
  version: number;
  /** In the bucket, and reserved. */
  bytes: number;
  /** When the bucket was counted, ms; 0: it must be counted before the next upload. */
  countedAt: number;
  reservations: UploadReservation[];
}
