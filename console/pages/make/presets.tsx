// The presets of a workflow. Chosen, its values are written into the form, where they can be changed; it stays shown as chosen for as
// long as the form has them.

import { Field } from '../../parts/field.tsx';
import { notify } from '../../parts/notices.tsx';
import type { Form } from '../../state/workflows.ts';
import { t } from '../../text/index.ts';
import { presetOf, valuesOf } from './form.ts';
import { lockSeed, setValues, valuesOfForm } from './forms.ts';

export function Presets({ form }: { form: Form }) {
  const all = Object.keys(form.presets);
  const words = t().make;
  if (all.length === 0) return null;
  const { properties } = form.inputs;
  const apply = (name: string) => {
    const set = valuesOf(form.presets[name] ?? {});
    setValues(form.name, set);
    for (const field of Object.keys(set))
      if (properties[field]?.['x-input'] === 'seed') lockSeed(form.name, field, true);
    const said = Object.entries(set).map(([field, value]) => `${properties[field]?.title ?? field} ${value}`);
    if (said.length > 0) notify(said.join(', '));
  };
  return (
    <Field label={words.preset}>
      {(described) => (
        <select
          {...described}
          value={presetOf(form, valuesOfForm(form.name)) ?? ''}
          onInput={(event) => apply(event.currentTarget.value)}
        >
          <option value="">{words.choosePreset}</option>
          {all.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
