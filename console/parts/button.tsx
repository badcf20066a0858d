// Buttons. One that only shows an icon has its words for screen readers and as a tip.

import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';

interface ButtonProps {
  children: ComponentChildren;
  icon?: IconName;
  kind?: 'main' | 'plain' | 'danger';
  type?: 'button' | 'submit';
  disabled?: boolean;
  onClick?: (event: MouseEvent) => void;
}

export const Button = ({
  children,
  icon,
  kind = 'plain',
  type = 'button',
  disabled,
  onClick,
}: ButtonProps) => (
  <button type={type} class={`button ${kind}`} disabled={disabled} onClick={onClick}>
    {icon && <Icon name={icon} />}
    {children}
  </button>
);

interface IconButtonProps {
  label: string;
  icon: IconName;
  /** For what is on or off. */
  pressed?: boolean;
  disabled?: boolean;
  onClick: (event: MouseEvent) => void;
}

export const IconButton = ({ label, icon, pressed, disabled, onClick }: IconButtonProps) => (
  <button
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
