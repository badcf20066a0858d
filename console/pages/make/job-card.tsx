// A job that was asked for: what it waits for, how far it is, what came of it, and what can be done with that.

import { useState } from 'preact/hooks';
import { call } from '../../api/call.ts';
import type { JobStatus } from '../../api/types.ts';
import { Button, IconButton } from '../../parts/button.tsx';
import { notifyFailure } from '../../parts/notices.tsx';
import { once } from '../../parts/once.ts';
import { Output } from '../../parts/output.tsx';
import { Viewer } from '../../parts/viewer.tsx';
import { whyItWaits } from '../../parts/waiting.ts';
import { type Asked, ask, forget, isEnded, type Known, knownOf } from '../../state/jobs.ts';
import { durationOf, numberOf, t } from '../../text/index.ts';
import { again, varySeed } from './again.ts';
import { UseAsInput } from './use-as-input.tsx';

export function JobCard({ asked }: { asked: Asked }) {
  const known = knownOf(asked.key).value;
  const { view, failure } = known;
  const [shown, setShown] = useState<number | undefined>(undefined);
  const words = t().job;
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
    <article
      class="card"
      tabIndex={-1}
      aria-label={prompt}
      data-state={failure ? 'refused' : (view?.status ?? 'sent')}
    >
      <div class="card-pictures">
        {outputs.length > 0 ? (
          outputs.map((output, index) => (
            <Output key={output.filename} output={output} onOpen={() => setShown(index)} />
          ))
        ) : (
          <div class={isEnded(known) ? 'picture none' : 'picture working'} style={shapeOf(asked)}>
            {known.preview && !isEnded(known) && <img src={known.preview} alt={words.preview} />}
          </div>
        )}
      </div>
      <div class="card-body">
        <p class="card-prompt">{prompt}</p>
        <State known={known} />
        {failure && <p class="field-error">{failure.message}</p>}
        {view?.error && <p class="field-error">{view.error}</p>}
        {view?.notes.map((note) => (
          <p key={note} class="field-about">
            {note}
          </p>
        ))}
        <div class="row">
          {!isEnded(known) && asked.jobId !== undefined && (
            <Button icon="close" onClick={() => void cancel()}>
              {words.cancel}
            </Button>
          )}
          {isEnded(known) && (
            <>
              <Button icon="again" onClick={() => void again(made).catch(notifyFailure)}>
                {words.again}
              </Button>
              <Button icon="vary" onClick={() => void varySeed(made).catch(notifyFailure)}>
                {words.vary}
              </Button>
              <UseAsInput outputs={outputs} />
              {failure && (
                <Button
                  icon="again"
                  onClick={() => {
                    forget(asked.key);
                    ask(asked.workflow, asked.inputs);
                  }}
                >
                  {words.sendAgain}
                </Button>
              )}
              <span class="grow" />
              <IconButton icon="close" label={words.hide} onClick={() => forget(asked.key)} />
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

/** Of the image that is made, where that is known: nothing moves when it comes. */
function shapeOf({ inputs: { width, height } }: Asked): { aspectRatio?: string } {
  return typeof width === 'number' && typeof height === 'number'
    ? { aspectRatio: `${width} / ${height}` }
    : {};
}

/** One line, said again by screen readers when the state changes, not at each step. */
function State({ known: { view, failure } }: { known: Known }) {
  const words = t().job;
  const status = failure ? 'refused' : (view?.status ?? 'sent');
  return (
    <>
      <p class="state" role="status">
        {words.states[status]}
      </p>
      {view && (status === 'queued' || status === 'processing') && <Progress view={view} />}
      {view && status === 'completed' && <p class="field-about">{madeOf(view)}</p>}
    </>
  );
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
