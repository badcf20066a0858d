// What is read when a part is drawn: its place until it is there, then what came, or why nothing did.

import type { ComponentChildren } from 'preact';
import type { Read } from '../state/read.ts';
import { Failed } from './failed.tsx';

interface LoadedProps<T> {
  read: Read<T>;
  /** Of the place. */
  size?: 'section' | 'form' | 'page';
  children: (found: T) => ComponentChildren;
}

/** What was there stays when it could not be read anew. */
export function Loaded<T>({ read: { found, failure, again }, size = 'section', children }: LoadedProps<T>) {
  if (found !== undefined) return <>{children(found)}</>;
  if (failure !== undefined) return <Failed error={failure} again={again} />;
  return <div class={`skeleton ${size}-skeleton`} />;
}
