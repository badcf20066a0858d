// The form of a workflow, made from the JSON Schema of its inputs: a control for each kind of input.

import type { ComponentChildren } from 'preact';
import { IconButton } from '../../parts/button.tsx';
import { type Described, Field } from '../../parts/field.tsx';
import type { Form, InputSchema } from '../../state/workflows.ts';
import { numberOf, t } from '../../text/index.ts';
import { wordsOf } from './fault-words.ts';
import { drawSeed, shownValue, splitFields } from './form.ts';
import { faults, isLocked, lockSeed, setValue, valuesOfForm } from './forms.ts';
import { FileField } from './file-field.tsx';
import { ImageField } from './image-field.tsx';

/** A range with more steps than this is not for a slider. */
const MOST_STEPS = 500;

export function Fields({ form }: { form: Form }) {
  const { first, more } = splitFields(form);
  const draw = (name: string) => <InputField key={`${form.name}/${name}`} form={form} name={name} />;
  const isWrong = more.some((name) => faults.value[name] !== undefined);
  return (
    <>
      {first.map(draw)}
      {more.length > 0 && (
        <details class="more" open={isWrong || undefined}>
          <summary>{t().make.more(more.length)}</summary>
          {more.map(draw)}
        </details>
      )}
    </>
  );
}

function InputField({ form, name }: { form: Form; name: string }) {
  const schema = form.inputs.properties[name]!;
  const value = valuesOfForm(form.name)[name];
  const set = (to: string | boolean | undefined) => setValue(form.name, name, to);
  const field = {
    workflow: form.name,
    name,
    label: schema.title ?? name,
    description: schema.description,
    error: wordsOf(faults.value[name]),
  };
  const text = String(shownValue(schema, value));
  switch (schema['x-input']) {
    case 'image':
      return <ImageField {...field} value={text} {...maskOf(form, name)} onValue={set} />;
    case 'audio':
    case 'video':
    case 'file':
      return <FileField {...field} type={schema['x-input']} value={text} onValue={set} />;
    case 'seed':
      return <SeedField {...field} value={text} onValue={set} />;
    case 'boolean':
      return (
        <Field {...field}>
          {(described) => (
            <input
              {...described}
              name={name}
              type="checkbox"
              checked={shownValue(schema, value) === true}
              onInput={(event) => set(event.currentTarget.checked)}
            />
          )}
        </Field>
      );
    case 'choice':
      return (
        <Field {...field}>
          {(described) => <Choice {...described} name={name} schema={schema} value={text} onValue={set} />}
        </Field>
      );
    case 'integer':
    case 'number':
      return <NumberField {...field} schema={schema} value={text} onValue={set} />;
    default:
      return (
        <Field {...field}>
          {(described) => <Text {...described} name={name} value={text} onValue={set} />}
        </Field>
      );
  }
}

/** Whether a mask can be painted, and for a field that is one, on which image: the one beside it. */
function maskOf(
  { name: workflow, inputs: { properties } }: Form,
  name: string,
): { takesMask: boolean; maskFor?: string } {
  if (!/mask/i.test(name)) return { takesMask: properties[name]!['x-mask'] === true };
  const image = Object.keys(properties).find(
    (other) => other !== name && properties[other]!['x-input'] === 'image' && !/mask/i.test(other),
  );
  return {
    takesMask: true,
    ...(image !== undefined && { maskFor: String(valuesOfForm(workflow)[image] ?? '') }),
  };
}

interface ControlProps {
  name: string;
  value: string;
  onValue: (value: string | undefined) => void;
}
interface SchemaControlProps extends ControlProps {
  schema: InputSchema;
}
interface WholeFieldProps extends ControlProps {
  label: string;
  description?: string | undefined;
  error?: string | undefined;
}

/**
 * As tall as what is typed (field-sizing in CSS), at least a few lines for the prompt. What is too long is not cut: the API says so.
 */
const Text = ({ name, value, onValue, ...described }: ControlProps & Described) => (
  <textarea
    {...described}
    name={name}
    rows={name === 'prompt' || name === 'text' ? 4 : 1}
    dir="auto"
    value={value}
    onInput={(event) => onValue(event.currentTarget.value)}
  />
);

function Choice({ name, schema, value, onValue, ...described }: SchemaControlProps & Described) {
  const options = new Set([...(schema.enum ?? []).map(String), value]);
  return (
    <select {...described} name={name} value={value} onInput={(event) => onValue(event.currentTarget.value)}>
      {[...options].map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
    </select>
  );
}

function NumberField({ name, schema, value, onValue, ...field }: WholeFieldProps & { schema: InputSchema }) {
  const { minimum, maximum, multipleOf } = schema;
  const step = multipleOf ?? (schema.type === 'integer' ? 1 : 0.05);
  const hasSlider =
    minimum !== undefined && maximum !== undefined && (maximum - minimum) / step <= MOST_STEPS;
  return (
    <Field {...field} aside={hasSlider && <Bounds schema={schema} />}>
      {(described) => (
        <div class="number">
          {hasSlider && (
            <input
              type="range"
              aria-label={field.label}
              min={minimum}
              max={maximum}
              step={step}
              value={value}
              onInput={(event) => onValue(event.currentTarget.value)}
            />
          )}
          <input
            {...described}
            name={name}
            type="text"
            inputMode={schema.type === 'integer' ? 'numeric' : 'decimal'}
            autocomplete="off"
            value={value}
            onInput={(event) => onValue(event.currentTarget.value)}
          />
        </div>
      )}
    </Field>
  );
}

const Bounds = ({ schema: { minimum, maximum } }: { schema: InputSchema }): ComponentChildren => (
  <span class="bounds">
    {numberOf(minimum!, 2)} – {numberOf(maximum!, 2)}
  </span>
);

/** Without a lock each job draws its own seed. */
function SeedField(props: WholeFieldProps & { workflow: string }) {
  const { name, workflow, value, onValue, description, ...field } = props;
  const words = t().seed;
  const locked = isLocked(workflow, name);
  return (
    <Field {...field} description={[description, words.counts].filter(Boolean).join(' ')}>
      {(described) => (
        <div class="number">
          <input
            {...described}
            name={name}
            type="text"
            inputMode="numeric"
            autocomplete="off"
            placeholder={words.random}
            value={locked ? value : ''}
            onInput={(event) => {
              onValue(event.currentTarget.value || undefined);
              lockSeed(workflow, name, event.currentTarget.value !== '');
            }}
          />
          <IconButton
            icon="dice"
            label={words.draw}
            onClick={() => {
              onValue(drawSeed());
              lockSeed(workflow, name, true);
            }}
          />
          <IconButton
            icon={locked ? 'lock' : 'unlock'}
            label={locked ? words.unlock : words.lock}
            pressed={locked}
            onClick={() => {
              if (!locked && value === '') onValue(drawSeed());
              lockSeed(workflow, name, !locked);
            }}
          />
        </div>
      )}
    </Field>
  );
}
