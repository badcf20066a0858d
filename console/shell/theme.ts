// Light, dark, or as the system is.

import { effect } from '@preact/signals';
import { stored } from '../state/stored.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export const theme = stored<Theme>(
  'theme',
  'system',
  (value) => THEMES.find((one) => one === value) ?? 'system',
);

effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
});
