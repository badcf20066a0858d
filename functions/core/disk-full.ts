// A full disk: as the system, LevelDB or a quota reports it, and as the stores of this machine refuse a write.

/** Nothing was written. The API says what makes room. */
export class StorageFull extends Error {
  override readonly name = 'StorageFull';
  constructor(options?: ErrorOptions) {
    super('The disk is full', options);
  }
}

export function isDiskFull(error: unknown): error is Error {
  const { code, message, cause } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return true;
  if (/No space left on device|Disk quota exceeded/.test(message)) return true;
  return cause instanceof Error && isDiskFull(cause);
}
