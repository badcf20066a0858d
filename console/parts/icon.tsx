// Icons, drawn with the colour of the text. They say nothing to screen readers: what they stand beside does.

const PATHS = {
  dice: 'M5 3h14a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2Zm3 5v.01M16 8v.01M12 12v.01M8 16v.01M16 16v.01',
  lock: 'M7 11V8a5 5 0 0 1 10 0v3M5 11h14v10H5Z',
  unlock: 'M7 11V8a5 5 0 0 1 9.6-2M5 11h14v10H5Z',
  download: 'M12 3v12m-5-5 5 5 5-5M4 21h16',
  link: 'M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-6-6l-1.500 1.500M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 6 6L12.500 17',
  again: 'M20 11a8 8 0 1 0-2.300 6.300M20 4v7h-7',
  vary: 'M4 7h4l8 10h4m0 0-3-3m3 3-3 3M4 17h4l2-2.500M14 9.500 16 7h4m0 0-3-3m3 3-3 3',
  input: 'M4 5h16v9M4 5v14h9M4 15l5-5 4 4M18 22v-6m-3 3 3-3 3 3',
  close: 'M5 5l14 14M19 5 5 19',
  image: 'M4 5h16v14H4ZM4 16l5-5 4 4 3-3 4 4M15 9v.01',
  film: 'M4 4h16v16H4ZM8 4v16M16 4v16M4 8h4M4 12h16M4 16h4M16 8h4M16 16h4',
  sound:
    'M9 18V6l10-2v12M9 18a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0ZM19 16a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0Z',
  text: 'M4 6h16M4 10h16M4 14h16M4 18h10',
  cube: 'M12 3l8 4.500v9L12 21l-8-4.500v-9ZM4 7.500l8 4.500 8-4.500M12 12v9',
  file: 'M6 3h8l4 4v14H6ZM14 3v4h4',
  brush: 'M4 20c3 0 5-1 5-4a3 3 0 0 1 3-3l8-9a1 1 0 0 0-2-2l-9 8',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14',
  search: 'M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13ZM15.500 15.500 21 21',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.500 1.500M17.500 17.500 19 19M19 5l-1.500 1.500M6.500 17.500 5 19',
  moon: 'M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10Z',
  system: 'M3 4h18v12H3ZM8 20h8M12 16v4',
  key: 'M8 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM11 12l9-9M16 7l3 3',
  make: 'M12 3l2 6 6 2-6 2-2 6-2-6-6-2 6-2ZM19 3v4M17 5h4',
  gallery: 'M3 3h8v8H3ZM13 3h8v8h-8ZM3 13h8v8H3ZM13 13h8v8h-8Z',
  workflows: 'M3 4h6v5H3ZM15 4h6v5h-6ZM9 15h6v5H9ZM6 9v4h12V9M12 13v2',
  operations: 'M3 20V10M9 20V4M15 20v-8M21 20V7',
  warning: 'M12 3 2 21h20ZM12 10v5M12 18v.01',
} as const;

export type IconName = keyof typeof PATHS;

export const Icon = ({ name }: { name: IconName }) => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d={PATHS[name]} />
  </svg>
);
