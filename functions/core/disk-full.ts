// Whether an error means that the disk is full, as the system, LevelDB or a quota reports it.

export function isDiskFull(error: unknown): error is Error {
  const { code, message, cause } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return true;
  if (/No space left on device|Disk quota exceeded/.test(message)) return true;
  return cause instanceof Error && isDiskFull(cause);
}
