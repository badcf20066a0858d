// Reads a stream of server-sent events as a browser does: blocks of lines, each a field or a comment.

import type { Json } from './support.ts';

export interface ServerEvent {
  event?: string;
  id?: string;
  data?: Json;
  /** Milliseconds. */
  retry?: number;
  comment?: string;
}

export interface EventReader {
  /** Undefined: the stream has ended. Rejects when it breaks off. */
  next(): Promise<ServerEvent | undefined>;
  /** The next that is no comment. */
  nextTold(): Promise<ServerEvent | undefined>;
  /** To the end. */
  rest(): Promise<ServerEvent[]>;
  cancel(): Promise<void>;
}

export function eventsOf(answer: Response): EventReader {
  const reader = answer.body!.getReader();
  const decoder = new TextDecoder();
  let text = '';
  const events: EventReader = {
    async next() {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end >= 0) {
          const block = text.slice(0, end);
          text = text.slice(end + 2);
          return eventOf(block);
        }
        const { done, value } = await reader.read();
        if (done) {
          if (text !== '') throw new Error(`half an event: ${JSON.stringify(text)}`);
          return undefined;
        }
        text += decoder.decode(value as Uint8Array, { stream: true });
      }
    },
    async nextTold() {
      for (;;) {
        const event = await events.next();
        if (event?.comment === undefined) return event;
      }
    },
    async rest() {
      const all: ServerEvent[] = [];
      for (let event = await events.next(); event; event = await events.next()) all.push(event);
      return all;
    },
    cancel: () => reader.cancel(),
  };
  return events;
}

function eventOf(block: string): ServerEvent {
  const event: ServerEvent = {};
  for (const line of block.split('\n')) {
    const [, field, value] = /^([a-z]*): (.*)$/.exec(line) ?? [];
    if (field === undefined || value === undefined)
      throw new Error(`no line of an event: ${JSON.stringify(line)}`);
    if (field === '') event.comment = value;
    else if (field === 'data') event.data = JSON.parse(value) as Json;
    else if (field === 'retry') event.retry = Number(value);
    else if (field === 'event' || field === 'id') event[field] = value;
    else throw new Error(`no field of an event: ${field}`);
  }
  return event;
}
