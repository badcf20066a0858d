// One job with all that is known of it, and what can be done with it.

import { useEffect, useState } from 'preact/hooks';
import { call, receive } from '../../api/call.ts';
import type { JobDetails } from '../../api/types.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog, Question } from '../../parts/dialog.tsx';
import { parseExact } from '../../parts/exact-json.ts';
import { Icon } from '../../parts/icon.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { notify, notifyFailure } from '../../parts/notices.tsx';
import { once } from '../../parts/once.ts';
import { Output, type OutputView } from '../../parts/output.tsx';
import { saveFile } from '../../parts/save-file.ts';
import { short } from '../../parts/short.ts';
import { Viewer } from '../../parts/viewer.tsx';
import { whyItWaits } from '../../parts/waiting.ts';
import { forgetJob } from '../../state/jobs.ts';
import { follow } from '../../shell/route.ts';
import { may } from '../../state/me.ts';
import { useRead } from '../../state/read.ts';
import { formOf, loadForm, names, titleOf } from '../../state/workflows.ts';
import { durationOf, language, numberOf, t, timeOf } from '../../text/index.ts';
import { again, varySeed } from '../make/again.ts';
import { UseAsInput } from '../make/use-as-input.tsx';
import { forget, found, type GalleryJob, loadMore } from './found.ts';

const LOOKS_AGAIN = 1500;

interface DetailsProps {
  id: string;
  hrefOf: (id: string) => string;
  onClose: () => void;
}

export function Details({ id, hrefOf, onClose }: DetailsProps) {
  const read = useRead((signal) => call('GET /api/jobs/{id}', { path: { id }, signal }), [id]);
  const { found: job, again } = read;
  /** Also those that failed: the next may not. */
  const [looks, setLooks] = useState(0);
  useEffect(() => {
    const look = () => void again().finally(() => setLooks(looks + 1));
    const timer = job?.job_id === id && isLive(job) ? setTimeout(look, LOOKS_AGAIN) : undefined;
    return () => clearTimeout(timer);
  }, [id, job, looks]);
  const at = found.value.findIndex(({ job_id: one }) => one === id);
  const [newer, older] = at < 0 ? [] : [found.value[at - 1], found.value[at + 1]];
  useEffect(() => {
    if (at >= 0 && older === undefined) void loadMore();
  }, [at, older]);
  const turnTo = (one: GalleryJob | undefined) => one && follow(hrefOf(one.job_id), true);
  const words = t().gallery;
  return (
    <Dialog
      title={short(job?.prompt || job?.workflow || t().gallery.job)}
      onClose={onClose}
      wide
      onKey={(key) => {
        if (key === 'ArrowLeft') turnTo(newer);
        if (key === 'ArrowRight') turnTo(older);
      }}
    >
      <div class="row">
        <Button busy={!newer} onClick={() => turnTo(newer)}>
          {words.newer}
        </Button>
        <Button busy={!older} onClick={() => turnTo(older)}>
          {words.older}
        </Button>
      </div>
      <Loaded read={read} size="form">
        {(job) => <Known key={job.job_id} job={job} onClose={onClose} />}
      </Loaded>
    </Dialog>
  );
}

/** What is no link by itself. */
const isShown = ({ kind }: OutputView) => kind === 'image' || kind === 'video' || kind === 'audio';

const isLive = ({ status }: JobDetails) => status === 'queued' || status === 'processing';

function Known({ job, onClose }: { job: JobDetails; onClose: () => void }) {
  const [shown, setShown] = useState<number | undefined>(undefined);
  const outputs = once(job.outputs);
  return (
    <div class="details">
      <div class="details-outputs">
        {outputs.map((output, index) => (
          <div key={output.filename} class="details-output">
            <Output output={output} onOpen={() => setShown(index)} />
            {isShown(output) && (
              <a class="button plain" href={output.url} download={output.filename}>
                <Icon name="download" />
                {t().output.download}
              </a>
            )}
          </div>
        ))}
        {outputs.length === 0 && <p class="empty">{t().job.states[job.status]}</p>}
      </div>
      <div>
        {job.error && <p class="field-error">{job.error}</p>}
        <Actions job={job} onClose={onClose} />
        <Facts job={job} />
      </div>
      {shown !== undefined && (
        <Viewer outputs={outputs} index={shown} onIndex={setShown} onClose={() => setShown(undefined)} />
      )}
    </div>
  );
}

function Actions({ job, onClose }: { job: JobDetails; onClose: () => void }) {
  const [asks, setAsks] = useState(false);
  const words = t();
  const made = { workflow: job.workflow, inputs: job.inputs, seed: job.seed_text };
  // A graph of its own has no form.
  const hasForm = Object.keys(job.inputs).length > 0;
  const picture = job.outputs.find(({ kind }) => kind === 'image');
  const failing = (work: Promise<unknown>) => void work.catch(notifyFailure);

  const remove = async () => {
    await call('DELETE /api/history/{id}', { path: { id: job.job_id } });
    forget(job.job_id);
    forgetJob(job.job_id);
    onClose();
  };
  const isLooking = !may('generate');
  return (
    <>
      {isLooking && <p class="warning">{words.gallery.mayNot}</p>}
      <div class="row">
        {hasForm && (
          <>
            <Button icon="again" onClick={() => failing(again(made))}>
              {words.job.again}
            </Button>
            <Button icon="vary" busy={isLooking} onClick={() => failing(varySeed(made))}>
              {words.job.vary}
            </Button>
          </>
        )}
        <UseAsInput outputs={job.outputs} />
        <Button icon="download" onClick={() => failing(saveGraph(job))}>
          {words.gallery.graph}
        </Button>
        {picture && (
          <Button icon="download" onClick={() => failing(saveMetadata(picture.filename))}>
            {words.gallery.metadata}
          </Button>
        )}
        {isLive(job) ? (
          <Button
            icon="close"
            busy={isLooking}
            onClick={() => failing(call('DELETE /api/queue/{id}', { path: { id: job.job_id } }))}
          >
            {words.job.cancel}
          </Button>
        ) : (
          <Button icon="trash" busy={isLooking} onClick={() => setAsks(true)}>
            {words.gallery.remove}
          </Button>
        )}
        {asks && (
          <Question
            title={words.gallery.removeTitle}
            text={words.gallery.removeText}
            yes={words.gallery.remove}
            onYes={() => failing(remove())}
            onClose={() => setAsks(false)}
          />
        )}
      </div>
    </>
  );
}

/** The canvas where the picture has it, else the graph: ComfyUI's page opens both. */
async function saveMetadata(filename: string): Promise<void> {
  const answer = await receive('GET /api/image/{filename}/metadata', { path: { filename } }, (one) =>
    one.text(),
  );
  const { workflow, prompt } = parseExact(answer) as { workflow: object | null; prompt: object | null };
  const written = workflow ?? prompt;
  if (!written) return notify(t().gallery.noMetadata);
  const name = `${filename.replace(/\.[^.]*$/, '')}.${workflow ? 'workflow' : 'prompt'}.json`;
  saveFile(name, new Blob([JSON.stringify(written, undefined, 2)], { type: 'application/json' }));
}

async function saveGraph({ job_id: id }: JobDetails): Promise<void> {
  const [named, file] = await receive('GET /api/jobs/{id}/graph', { path: { id } }, async (answer) => [
    /filename="([^"]+)"/.exec(answer.headers.get('Content-Disposition') ?? '')?.[1],
    await answer.blob(),
  ]);
  saveFile(named ?? `${id}.json`, file);
}

function Facts({ job }: { job: JobDetails }) {
  const words = t().gallery.facts;
  // One that was removed has no form: its names stay.
  const isThere = names.value?.includes(job.workflow) ?? false;
  useEffect(() => {
    if (isThere) loadForm(job.workflow).catch(notifyFailure);
  }, [isThere, job.workflow, language.value]);
  const form = formOf(job.workflow);
  const seconds = (value: number | null) => (value === null ? undefined : durationOf(value));
  const facts: [string, string | undefined][] = [
    [words.state, t().job.states[job.status]],
    [words.waits, whyItWaits(job)],
    [words.workflow, titleOf(job.workflow)],
    [words.created, timeOf(job.created_at)],
    [words.waited, seconds(job.queued_seconds)],
    [words.duration, seconds(job.duration_seconds)],
    [words.gpu, job.gpu_seconds === null ? undefined : numberOf(job.gpu_seconds, 1)],
    [words.cost, job.cost_usd === null ? undefined : `$${numberOf(job.cost_usd, 4)}`],
    [words.attempts, String(job.attempts)],
    [words.host, job.host ?? undefined],
    [words.priority, t().gallery.priorities[job.priority]],
    [words.node, job.failed_node ? `${job.failed_node.class_type} (${job.failed_node.node})` : undefined],
    [words.id, job.job_id],
  ];
  const list = (entries: [string, string][]) =>
    entries.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd dir="auto">{value}</dd>
      </div>
    ));
  const inputs = Object.entries(job.inputs).map(([name, value]): [string, string] => [
    form?.inputs.properties[name]?.title ?? name,
    name === 'seed' && job.seed_text !== null ? job.seed_text : String(value),
  ]);
  return (
    <>
      <dl class="facts">{list(facts.filter((one): one is [string, string] => one[1] !== undefined))}</dl>
      {inputs.length > 0 && (
        <>
          <h3>{words.inputs}</h3>
          <dl class="facts">{list(inputs)}</dl>
        </>
      )}
      {Object.keys(job.metadata).length > 0 && (
        <>
          <h3>{words.labels}</h3>
          <dl class="facts">{list(Object.entries(job.metadata))}</dl>
        </>
      )}
    </>
  );
}
