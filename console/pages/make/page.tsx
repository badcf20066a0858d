// Make: choose a workflow, fill in its form, queue. What was asked for stands beside it until it is made.

import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiFailure, call } from '../../api/call.ts';
import { Button } from '../../parts/button.tsx';
import { Failed } from '../../parts/failed.tsx';
import { Field } from '../../parts/field.tsx';
import { notify, notifyFailure } from '../../parts/notices.tsx';
import { ask, asked, forget, type Inputs, submit } from '../../state/jobs.ts';
import { may } from '../../state/me.ts';
import { useRead } from '../../state/read.ts';
import { type Form, formOf, loadNames, names, reloadForm, titleOf } from '../../state/workflows.ts';
import { decimal, language, t } from '../../text/index.ts';
import { Fields } from './fields.tsx';
import { inputsAfter, readTimes, readValues } from './form.ts';
import {
  chooseWorkflow,
  faults,
  focusWanted,
  isLocked,
  isUploading,
  resetForm,
  times,
  timesFault,
  valuesOfForm,
  workflow,
} from './forms.ts';
import { JobCard } from './job-card.tsx';
import { Presets } from './presets.tsx';
import { Times } from './times.tsx';

const LOOKS_AT_HOSTS = 15_000;

export default function Make() {
  const name = workflow.value;
  const list = useRead(async () => {
    await loadNames();
    return true;
  }, [language.value]);
  const fields = useRead(async () => {
    if (name !== undefined) await reloadForm(name);
    return true;
  }, [name, language.value]);
  /** Until another is there, the one before stays: nothing moves. */
  const before = useRef<Form | undefined>(undefined);
  const form = (name === undefined ? undefined : formOf(name)) ?? before.current;
  before.current = form;
  const service = useRead((signal) => call('GET /api/system', { signal }), [], LOOKS_AT_HOSTS);
  const hosts = service.found?.hosts ?? [];
  const isSilent = hosts.length > 0 && hosts.every(({ comfyui }) => comfyui === 'silent');
  const results = useRef<HTMLElement>(null);
  const unread = [list, fields].find(({ failure }) => failure !== undefined);
  const words = t().make;
  return (
    <div class="make">
      <section class="panel" aria-label={words.form}>
        {form && names.value ? (
          <>
            {!may('generate') && <p class="warning">{words.mayNot}</p>}
            <Field label={words.workflow} description={form.description}>
              {(described) => (
                <select
                  {...described}
                  value={name}
                  onInput={(event) => chooseWorkflow(event.currentTarget.value)}
                >
                  {names.value!.map((one) => (
                    <option key={one} value={one}>
                      {titleOf(one)}
                    </option>
                  ))}
                </select>
              )}
            </Field>
            {fields.failure === undefined ? (
              <MakeForm
                key={form.name}
                form={form}
                isOld={form.name !== name}
                onQueued={() => bringIntoView(results.current!)}
              />
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
      <section ref={results} class="results" tabIndex={-1} aria-label={words.results}>
        {asked.value.length === 0 && (
          <div class="empty" role="status">
            {/* What comes later stands below: nothing moves. A job that waits for ComfyUI says so itself. */}
            <p>{words.nothingYet}</p>
            {hosts.some(({ simulated }) => simulated) && <p>{words.simulated}</p>}
            {isSilent && (
              <p class="warning">
                {words.silent(hosts.flatMap(({ comfyui_url: url }) => url ?? []).join(', '))}
              </p>
            )}
          </div>
        )}
        {asked.value.map((one) => (
          <JobCard key={one.key} asked={one} />
        ))}
      </section>
    </div>
  );
}

/** On a narrow page they lie below the form. */
function bringIntoView(results: HTMLElement): void {
  if (results.getBoundingClientRect().top < innerHeight / 2) return;
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  results.scrollIntoView({ block: 'start', behavior: isCalm ? 'auto' : 'smooth' });
}

interface MakeFormProps {
  form: Form;
  /** Another is on its way, and what is typed here would go with this one. */
  isOld: boolean;
  onQueued: () => void;
}

function MakeForm({ form, isOld, onQueued }: MakeFormProps) {
  const [isSending, setSending] = useState(false);
  const element = useRef<HTMLFormElement>(null);
  const words = t().make;
  const values = valuesOfForm(form.name);
  const missing = form.missing.length;
  const isIdle = isSending || !may('generate');
  useEffect(() => {
    if (focusWanted.value !== form.name) return;
    focusWanted.value = undefined;
    element.current?.querySelector<HTMLElement>('[name]')?.focus();
  }, [focusWanted.value, form.name]);

  const queue = async () => {
    const { properties } = form.inputs;
    const drawn = Object.keys(properties).filter(
      (name) => properties[name]!['x-input'] === 'seed' && !isLocked(form.name, name),
    );
    const { inputs, faults: found } = readValues(form, values, new Set(drawn), decimal());
    for (const name of Object.keys(properties))
      if (isUploading(form.name, name)) found[name] = { kind: 'uploading' };
    const count = readTimes(times.value, decimal());
    faults.value = found;
    timesFault.value = typeof count === 'number' ? undefined : count;
    if (Object.keys(found).length > 0 || typeof count !== 'number') {
      showFirstFault();
      return;
    }
    setSending(true);
    try {
      await sendAll(form, inputs, count);
      notify(words.queued);
      onQueued();
    } catch (error) {
      if (
        error instanceof ApiFailure &&
        error.field !== undefined &&
        Object.hasOwn(properties, error.field)
      ) {
        faults.value = { [error.field]: error.message };
        showFirstFault();
      } else notifyFailure(error);
      // It was removed since: those that are there are offered.
      if (error instanceof ApiFailure && error.field === 'workflow') void loadNames().catch(notifyFailure);
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
      inert={isOld}
      onSubmit={(event) => {
        event.preventDefault();
        if (!isIdle) void queue();
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
        <Button type="submit" kind="main" icon="make" busy={isIdle}>
          {words.queue}
        </Button>
        <Times />
        <Button
          onClick={() => {
            resetForm(form.name);
            notify(words.cleared);
          }}
        >
          {words.clear}
        </Button>
      </div>
      <p class="field-about shortcut">{words.shortcut}</p>
    </form>
  );
}

const wantedOf = ({ value, class_type: type }: Form['missing'][number]) => value ?? type;

/** The first by itself: what is wrong with one is wrong with all. The others are sent by follow.ts. */
async function sendAll(form: Form, inputs: Inputs, times: number): Promise<void> {
  const first = ask(form.name, inputs);
  try {
    await submit(first);
  } catch (error) {
    forget(first.key);
    throw error;
  }
  for (let one = 1; one < times; one += 1) ask(form.name, inputsAfter(form, inputs, one));
}
