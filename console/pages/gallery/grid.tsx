// A grid of which only what is seen is drawn: the rows around the window, and room for the others.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

const TILE = 220;
const GAP = 12;
/** Of a tile's words below its picture. */
const CAPTION = 58;
/** Rows that are drawn before and behind those in the window. */
const AROUND = 2;

interface GridProps<Item> {
  label: string;
  items: readonly Item[];
  keyOf: (item: Item) => string;
  draw: (item: Item) => ComponentChildren;
  /** Called when the end comes near. */
  onEnd: () => void;
}

export function Grid<Item>({ label, items, keyOf, draw, onEnd }: GridProps<Item>) {
  const list = useRef<HTMLUListElement>(null);
  const [seen, setSeen] = useState({ width: 0, top: 0, height: 0 });
  useEffect(() => {
    let frame = 0;
    const look = () => {
      frame = 0;
      const box = list.current?.getBoundingClientRect();
      if (box) setSeen({ width: box.width, top: -box.top, height: innerHeight });
    };
    const later = () => (frame ||= requestAnimationFrame(look));
    look();
    const observer = new ResizeObserver(later);
    observer.observe(list.current!);
    addEventListener('scroll', later, { passive: true });
    addEventListener('resize', later);
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      removeEventListener('scroll', later);
      removeEventListener('resize', later);
    };
  }, []);

  const columns = Math.max(2, Math.floor((seen.width + GAP) / (TILE + GAP)));
  const side = (seen.width - GAP * (columns - 1)) / columns;
  const rowHeight = side + CAPTION + GAP;
  const rows = Math.ceil(items.length / columns);
  const first = Math.max(0, Math.min(rows, Math.floor(seen.top / rowHeight) - AROUND));
  const last = Math.max(first, Math.min(rows, Math.ceil((seen.top + seen.height) / rowHeight) + AROUND));
  const drawn = seen.width > 0 ? items.slice(first * columns, last * columns) : [];
  const isAtEnd = seen.width > 0 && last >= rows - AROUND;
  useEffect(() => {
    if (isAtEnd) onEnd();
  }, [isAtEnd, items.length, onEnd]);

  return (
    <ul
      ref={list}
      class="gallery-grid"
      aria-label={label}
      style={{
        gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
        gridAutoRows: `${side + CAPTION}px`,
        gap: `${GAP}px`,
        paddingTop: `${first * rowHeight}px`,
        paddingBottom: `${(rows - last) * rowHeight}px`,
      }}
    >
      {drawn.map((item, index) => (
        <li key={keyOf(item)} aria-setsize={items.length} aria-posinset={first * columns + index + 1}>
          {draw(item)}
        </li>
      ))}
    </ul>
  );
}
