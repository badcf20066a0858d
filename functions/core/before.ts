// A promise that gives way to a signal.

/** What `work` resolves to. @throws the signal's reason when it comes first; what comes of `work` then is not looked at */
export async function before<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let abort: () => void = () => undefined;
  const over = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
