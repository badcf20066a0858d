// A field of a form: its label, what it is for, and what is wrong with it, tied together for screen readers.

import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

export interface Described {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': boolean | undefined;
}

interface FieldProps {
  label: string;
  description?: string | undefined;
  error?: string | undefined;
  /** Beside the label. */
  aside?: ComponentChildren;
  /** Draws the control with what ties it to the rest. */
  children: (described: Described) => ComponentChildren;
}

export function Field({ label, description, error, aside, children }: FieldProps) {
  const id = useId();
  const about = [description && `${id}-about`, error && `${id}-error`].filter(Boolean).join(' ');
  return (
    <div class={error ? 'field wrong' : 'field'}>
      <div class="field-head">
        <label for={id}>{label}</label>
        {aside}
      </div>
      {children({ id, 'aria-describedby': about || undefined, 'aria-invalid': error ? true : undefined })}
      {error && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
      {description && (
        <p class="field-about" id={`${id}-about`}>
          {description}
        </p>
      )}
    </div>
  );
}
