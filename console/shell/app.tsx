// The frame of every page: where one can go, what one may do, and whether the API is there.

import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { key } from '../api/key.ts';
import type { IconName } from '../parts/icon.tsx';
import { Icon } from '../parts/icon.tsx';
import { isCovered } from '../parts/dialog.tsx';
import { Failed } from '../parts/failed.tsx';
import { Notices } from '../parts/notices.tsx';
import Make from '../pages/make/page.tsx';
import { loadUsage, may, unknown, usage } from '../state/me.ts';
import { language, t } from '../text/index.ts';
import { Choices } from './choices.tsx';
import { KeyForm, wantsKey } from './key-form.tsx';
import { lazily } from './lazy.tsx';
import { linkTo, place } from './route.ts';

interface Page {
  name: '' | 'gallery' | 'workflows' | 'operations';
  icon: IconName;
  page: ComponentType;
  /** Only for keys with this scope. */
  scope?: 'admin';
}

/** In the order of the navigation. Those that are loaded when they are first looked at come as parts of their own. */
const PAGES: Page[] = [
  { name: '', icon: 'make', page: Make },
  { name: 'gallery', icon: 'gallery', page: lazily(() => import('../pages/gallery/page.tsx')) },
  { name: 'workflows', icon: 'workflows', page: lazily(() => import('../pages/workflows/page.tsx')) },
  {
    name: 'operations',
    icon: 'operations',
    page: lazily(() => import('../pages/operations/page.tsx')),
    scope: 'admin',
  },
];

export function App() {
  useEffect(() => void (wantsKey.value || loadUsage()), [key.value]);
  useEffect(() => {
    document.documentElement.lang = language.value;
  }, [language.value]);
  const words = t();
  const seen = PAGES.filter(({ scope }) => scope === undefined || may(scope));
  const shown = seen.find(({ name }) => name === place.value.page) ?? seen[0]!;
  useEffect(() => {
    document.title = `${words.pages[shown.name]} · ComfyUI`;
  }, [shown.name, language.value]);
  const Shown = shown.page;
  return (
    <>
      <a class="skip" href="#content" onClick={toContent}>
        {words.skip}
      </a>
      <header class="top">
        <nav aria-label={words.navigation}>
          <ul>
            {seen.map(({ name, icon }) => (
              <li key={name}>
                <a href={linkTo(name)} aria-current={name === shown.name ? 'page' : undefined}>
                  <Icon name={icon} />
                  <span>{words.pages[name]}</span>
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <Choices />
      </header>
      <main id="content" tabIndex={-1}>
        <h1 class="visually-hidden">{words.pages[shown.name]}</h1>
        {wantsKey.value ? (
          <KeyForm />
        ) : unknown.value !== undefined ? (
          <Failed error={unknown.value} again={loadUsage} />
        ) : usage.value === undefined ? (
          <div class="skeleton page-skeleton" />
        ) : (
          <Shown />
        )}
      </main>
      <Notices isHere={!isCovered.value} />
    </>
  );
}

/** The address keeps the page: `#content` is none. */
function toContent(event: MouseEvent): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('#content')?.focus();
}
