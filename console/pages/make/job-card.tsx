// A job that was asked for: what it waits for, how far it is, what came of it, and what can be done with that.

import { useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../../api/call.ts';
import type { JobStatus } from '../../api/types.ts';
import { Button, IconButton } from '../../parts/button.tsx';
import { notifyFailure } from '../../parts/notices.tsx';
import { once } from '../../parts/once.ts';
import { Output } from '../../parts/output.tsx';
import { short } from '../../parts/short.ts';
import { Viewer } from '../../parts/viewer.tsx';
import { whyItWaits } from '../../parts/waiting.ts';
import { lookAgain } from '../../state/follow.ts';
import { type Asked, ask, forget, isEnded, type Known, knownOf } from '../../state/jobs.ts';
import { may } from '../../state/me.ts';
import { formOf, loadForm, names } from '../../state/workflows.ts';
import { durationOf, language, numberOf, t } from '../../text/index.ts';
import { again, varySeed } from './again.ts';
import { UseAsInput } from './use-as-input.tsx';

export function JobCard({ asked }: { asked: Asked }) {
  const known = knownOf(asked.key).value;
  const { view, failure } = known;
  const [shown, setShown] = useState<number | undefined>(undefined);
  const isLookedAgain = useRef(false);
  /** Once: another look gives another link, and what cannot be shown would be asked for without end. */
  const lost = () => {
    if (!isLookedAgain.current) lookAgain(asked);
    isLookedAgain.current = true;
  };
  const words = t().job;
  const state = stateOf(asked, known);
  const outputs = once(view?.outputs ?? []);
  // Not every workflow takes words.
  const prompt = view?.prompt || String(asked.inputs['prompt'] ?? asked.workflow);
  const made = { workflow: asked.workflow, inputs: asked.inputs, seed: view?.seed_text ?? null };

  const cancel = async () => {
    try {
      await call('DELETE /api/queue/{id}', { path: { id: asked.jobId! } });
    } catch (error) {
      notifyFailure(error);
    }
  };

  return (
    <article class="card" tabIndex={-1} aria-label={short(prompt)} data-state={state}>
      {outputs.length > 0 && (
        <div class="card-pictures">
          {outputs.map((output, index) => (
            <Output key={output.filename} output={output} onOpen={() => setShown(index)} onLost={lost} />
          ))}
        </div>
      )}
      {!isEnded(known) && (
        <div class="picture working" style={state === 'processing' ? shapeOf(asked) : {}}>
          {known.preview && <img src={known.preview} alt={words.preview} />}
        </div>
      )}
      <div class="card-body">
        <p class="card-prompt" dir="auto">
          {prompt}
        </p>
        <div class="card-state">
          {/* Said again by screen readers when the state changes, not at each step. */}
          <p class="state" role="status">
            {words.states[state]}
          </p>
          {isEnded(known) && <IconButton icon="close" label={words.hide} onClick={() => forget(asked.key)} />}
        </div>
        {view && (state === 'queued' || state === 'processing') && <Progress view={view} />}
        {view && state === 'completed' && <p class="field-about">{madeOf(view)}</p>}
        {failure && <p class="field-error">{failure.message}</p>}
        {view?.error && <p class="field-error">{view.error}</p>}
        {view && view.notes.length > 0 && <Notes workflow={asked.workflow} notes={view.notes} />}
        <div class="row">
          {!isEnded(known) && asked.jobId !== undefined && (
            <Button icon="close" busy={!may('generate')} onClick={() => void cancel()}>
              {words.cancel}
            </Button>
          )}
          {isEnded(known) && (
            <>
              <Button icon="again" onClick={() => void again(made).catch(notifyFailure)}>
                {words.again}
              </Button>
              <Button
                icon="vary"
                busy={!may('generate')}
                onClick={() => void varySeed(made).catch(notifyFailure)}
              >
                {words.vary}
              </Button>
              <UseAsInput outputs={outputs} />
              {failure && asked.jobId !== undefined && (
                <Button icon="again" onClick={() => lookAgain(asked)}>
                  {t().tryAgain}
                </Button>
              )}
              {failure && asked.jobId === undefined && (
                <Button
                  icon="again"
                  busy={!may('generate')}
                  onClick={() => {
                    forget(asked.key);
                    ask(asked.workflow, asked.inputs);
                  }}
                >
                  {words.sendAgain}
                </Button>
              )}
            </>
          )}
        </div>
      </div>
      {shown !== undefined && outputs[shown] && (
        <Viewer outputs={outputs} index={shown} onIndex={setShown} onClose={() => setShown(undefined)} />
      )}
    </article>
  );
}

/** A job has them as they were stored; what they mean in the page's language its workflow says, while it is there. */
function Notes({ workflow, notes }: { workflow: string; notes: readonly string[] }) {
  const isThere = names.value?.includes(workflow) ?? false;
  useEffect(() => {
    if (isThere) loadForm(workflow).catch(notifyFailure);
  }, [isThere, workflow, language.value]);
  const meanings = formOf(workflow)?.notes ?? {};
  return notes.map((note) => (
    <p key={note} class="field-about">
      {meanings[note] ?? note}
    </p>
  ));
}

/** Of the image that is made, where that is known: nothing moves when it comes. */
function shapeOf({ inputs: { width, height } }: Asked): { aspectRatio?: string } {
  return typeof width === 'number' && typeof height === 'number'
    ? { aspectRatio: `${width} / ${height}` }
    : {};
}

type StateName = keyof ReturnType<typeof t>['job']['states'];

/** One that was accepted is never refused. */
function stateOf({ jobId }: Asked, { view, failure }: Known): StateName {
  if (failure) return jobId === undefined ? 'refused' : 'unread';
  return view?.status ?? (jobId === undefined ? 'sent' : 'queued');
}

function Progress({ view }: { view: JobStatus }) {
  const words = t().job;
  const { queue_position: position, eta_seconds: eta } = view;
  const left = eta === null ? undefined : words.left(durationOf(eta));
  const parts =
    view.status === 'queued'
      ? [position === null ? undefined : words.place(position), whyItWaits(view), left]
      : [view.total_steps > 0 ? words.step(view.current_step, view.total_steps) : undefined, left];
  return (
    <>
      <progress
        aria-label={words.progress}
        max="1"
        {...(view.status === 'processing' && { value: view.progress })}
      />
      <p class="field-about">{parts.filter(Boolean).join(' · ')}</p>
    </>
  );
}

function madeOf({
  seed_text: seed,
  gpu_seconds: gpu,
  cost_usd: cost,
  started_at,
  completed_at,
}: JobStatus): string {
  const words = t().job;
  const took =
    started_at && completed_at ? (Date.parse(completed_at) - Date.parse(started_at)) / 1000 : undefined;
  return [
    took === undefined ? undefined : words.took(durationOf(took)),
    gpu === null ? undefined : words.gpu(numberOf(gpu, 1)),
    cost === null ? undefined : `$${numberOf(cost, 4)}`,
    seed === null ? undefined : words.seed(seed),
  ]
    .filter(Boolean)
    .join(' · ');
}
