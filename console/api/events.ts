// Server-sent events by fetch, since EventSource cannot send a key. Source: the WHATWG's HTML standard, "Server-sent events".

export interface ServerEvent {
  event: string;
  id: string | undefined;
  data: string;
}

/** Ends when the server ends the stream. @throws TypeError where the connection breaks */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as never)
    .getReader() as ReadableStreamDefaultReader<string>;
  let text = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      const blocks = text.split(/\r?\n\r?\n/);
      text = blocks.pop()!;
      for (const block of blocks) {
        const found = eventOf(block);
        if (found) yield found;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Undefined: only a comment, which keeps the connection alive. */
export function eventOf(block: string): ServerEvent | undefined {
  const found: ServerEvent = { event: 'message', id: undefined, data: '' };
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^([^:]+):? ?(.*)$/.exec(line) ?? [];
    if (name === 'event') found.event = value!;
    if (name === 'id') found.id = value!;
    if (name === 'data') data.push(value!);
  }
  return data.length === 0 ? undefined : { ...found, data: data.join('\n') };
}
