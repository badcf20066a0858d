// Language, theme, and the key that is in use.

import { key } from '../api/key.ts';
import { IconButton } from '../parts/button.tsx';
import type { IconName } from '../parts/icon.tsx';
import { owner } from '../state/me.ts';
import { chosenLanguage, type Language, language, LANGUAGES, t } from '../text/index.ts';
import { leave } from './key-form.tsx';
import { type Theme, theme, THEMES } from './theme.ts';

const ICONS: Record<Theme, IconName> = { system: 'system', light: 'sun', dark: 'moon' };

export function Choices() {
  const words = t();
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]!;
  return (
    <div class="choices">
      {key.value !== undefined && (
        <>
          <span class="owner">{owner.value}</span>
          <IconButton
            icon="key"
            label={[words.key.leave, owner.value].filter(Boolean).join(': ')}
            onClick={leave}
          />
        </>
      )}
      <IconButton
        icon={ICONS[theme.value]}
        label={words.theme(words.themes[theme.value])}
        onClick={() => (theme.value = next)}
      />
      <select
        aria-label={words.language}
        value={language.value}
        onInput={(event) => (chosenLanguage.value = event.currentTarget.value as Language)}
      >
        {Object.entries(LANGUAGES).map(([name, title]) => (
          <option key={name} value={name} lang={name}>
            {title}
          </option>
        ))}
      </select>
    </div>
  );
}
