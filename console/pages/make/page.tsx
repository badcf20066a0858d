// Make: choose a workflow, fill in its form, queue. What was asked for stands beside it until it is made.

import { useRef, useState } from 'preact/hooks';
import { ApiFailure } from '../../api/call.ts';
import { Button } from '../../parts/button.tsx';
import { Failed } from '../../parts/failed.tsx';
import { Field } from '../../parts/field.tsx';
import { notify, notifyFailure } from '../../parts/notices.tsx';
import { ask, asked, forget, type Inputs, submit } from '../../state/jobs.ts';
import { useRead } from '../../state/read.ts';
import { type Form, formOf, loadForm, loadNames, names } from '../../state/workflows.ts';
import { decimal, t } from '../../text/index.ts';
import { Fields } from './fields.tsx';
import { readValues } from './form.ts';
import {
  chooseWorkflow,
  faults,
  isLocked,
  replaceValues,
  setValues,
  valuesOfForm,
  workflow,
} from './forms.ts';
import { JobCard } from './job-card.tsx';

const MOST_AT_ONCE = 16;

export default function Make() {
  const name = workflow.value;
  const list = useRead(async () => {
    await loadNames();
    return true;
  }, []);
  const fields = useRead(async () => {
    if (name !== undefined) await loadForm(name, true);
    return true;
  }, [name]);
  /** Until another is there, the one before stays: nothing moves. */
  const before = useRef<Form | undefined>(undefined);
  const form = (name === undefined ? undefined : formOf(name)) ?? before.current;
  before.current = form;
  const unread = [list, fields].find(({ failure }) => failure !== undefined);
  const words = t().make;
  return (
    <div class="make">
      <section class="panel" aria-label={words.form}>
        {form && names.value ? (
          <>
            <Field label={words.workflow} description={form.description}>
              {(described) => (
                <select
                  {...described}
                  value={name}
                  onInput={(event) => chooseWorkflow(event.currentTarget.value)}
                >
                  {names.value!.map((one) => (
                    <option key={one} value={one}>
                      {formOf(one)?.title ?? one}
                    </option>
                  ))}
                </select>
              )}
            </Field>
            {fields.failure === undefined ? (
              <MakeForm key={form.name} form={form} />
            ) : (
              <Failed error={fields.failure} again={fields.again} />
            )}
          </>
        ) : unread ? (
          <Failed error={unread.failure} again={unread.again} />
        ) : (
          <div class="skeleton form-skeleton" />
        )}
      </section>
      <section class="results" tabIndex={-1} aria-label={words.results}>
        {asked.value.length === 0 && (
          <div class="empty">
            <p>{words.nothingYet}</p>
          </div>
        )}
        {asked.value.map((one) => (
          <JobCard key={one.key} asked={one} />
        ))}
      </section>
    </div>
  );
}

function MakeForm({ form }: { form: Form }) {
  const [times, setTimes] = useState(1);
  const [isSending, setSending] = useState(false);
  const element = useRef<HTMLFormElement>(null);
  const words = t().make;
  const values = valuesOfForm(form.name);
  const missing = form.missing.length;

  const queue = async () => {
    const { properties } = form.inputs;
    const drawn = Object.keys(properties).filter(
      (name) => properties[name]!['x-input'] === 'seed' && !isLocked(form.name, name),
    );
    const { inputs, faults: found } = readValues(form, values, new Set(drawn), decimal());
    faults.value = found;
    if (Object.keys(found).length > 0) {
      showFirstFault();
      return;
    }
    setSending(true);
    try {
      await sendAll(form.name, inputs, times);
    } catch (error) {
      if (
        error instanceof ApiFailure &&
        error.field !== undefined &&
        Object.hasOwn(properties, error.field)
      ) {
        faults.value = { [error.field]: error.message };
        showFirstFault();
      } else notifyFailure(error);
    } finally {
      setSending(false);
    }
  };
  /** Once it is drawn. */
  const showFirstFault = () =>
    requestAnimationFrame(() => element.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus());

  return (
    <form
      ref={element}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!isSending) void queue();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.repeat)
          element.current?.requestSubmit();
      }}
    >
      {missing > 0 && <p class="warning">{words.missing(form.missing.map(wantedOf).join(', '))}</p>}
      <Presets form={form} />
      <Fields form={form} />
      <div class="send">
        <Button type="submit" kind="main" icon="make" busy={isSending}>
          {words.queue}
        </Button>
        <label class="row">
          {words.times}
          <input
            class="times"
            type="number"
            min="1"
            max={MOST_AT_ONCE}
            value={times}
            onInput={(event) =>
              setTimes(Math.min(MOST_AT_ONCE, Math.max(1, event.currentTarget.valueAsNumber || 1)))
            }
          />
        </label>
        <span class="grow" />
        <Button
          onClick={() => {
            replaceValues(form.name, {});
            notify(words.cleared);
          }}
        >
          {words.clear}
        </Button>
      </div>
      <p class="field-about">{words.shortcut}</p>
    </form>
  );
}

const wantedOf = ({ value, class_type: type }: Form['missing'][number]) => value ?? type;

/** The first by itself: what is wrong with one is wrong with all. The others are sent by follow.ts. */
async function sendAll(workflow: string, inputs: Inputs, times: number): Promise<void> {
  const first = ask(workflow, inputs);
  try {
    await submit(first);
  } catch (error) {
    forget(first.key);
    throw error;
  }
  for (let one = 1; one < times; one += 1) ask(workflow, inputs);
}

/** Chosen, its values are written into the form, where they can be changed. */
function Presets({ form }: { form: Form }) {
  const all = Object.keys(form.presets);
  const words = t().make;
  if (all.length === 0) return null;
  const apply = (name: string) => {
    const values = Object.entries(form.presets[name] ?? {}).map(([field, value]) => [
      field,
      typeof value === 'boolean' ? value : String(value),
    ]);
    setValues(form.name, Object.fromEntries(values) as Record<string, string>);
  };
  return (
    <Field label={words.preset}>
      {(described) => (
        <select
          {...described}
          value=""
          onInput={(event) => {
            apply(event.currentTarget.value);
            event.currentTarget.value = '';
          }}
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
