// Buttons. One that only shows an icon has its words for screen readers and as a tip.

import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';
import { useKeptFocus } from './kept-focus.ts';

interface ButtonProps {
  children: ComponentChildren;
  icon?: IconName;
  kind?: 'main' | 'plain' | 'danger';
  type?: 'button' | 'submit';
  disabled?: boolean;
  /** It does nothing now, and keeps the focus. */
  busy?: boolean;
  onClick?: (event: MouseEvent) => void;
}

export function Button({
  children,
  icon,
  kind = 'plain',
  type = 'button',
  disabled,
  busy,
  onClick,
}: ButtonProps) {
  const element = useKeptFocus<HTMLButtonElement>();
  return (
    <button
      ref={element}
      type={type}
      class={`button ${kind}`}
      disabled={disabled}
      aria-disabled={busy || undefined}
      onClick={busy ? undefined : onClick}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

interface IconButtonProps {
  label: string;
  icon: IconName;
  /** For what is on or off. */
  pressed?: boolean;
  disabled?: boolean;
  onClick: (event: MouseEvent) => void;
}

export function IconButton({ label, icon, pressed, disabled, onClick }: IconButtonProps) {
  const element = useKeptFocus<HTMLButtonElement>();
  return (
    <button
      ref={element}
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
