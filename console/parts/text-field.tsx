// A field of one line.

import { Field } from './field.tsx';

interface TextFieldProps {
  label: string;
  name: string;
  value: string;
  description?: string;
  error?: string | undefined;
  onValue: (value: string) => void;
}

export const TextField = ({ name, value, onValue, ...field }: TextFieldProps) => (
  <Field {...field}>
    {(described) => (
      <input
        {...described}
        name={name}
        type="text"
        autocomplete="off"
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    )}
  </Field>
);
