// All that the caller made, newest first: searched, filtered, looked at, removed.

import { useCallback, useEffect, useState } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { notifyFailure } from '../../parts/notices.tsx';
import { goTo, place } from '../../shell/route.ts';
import { loadNames } from '../../state/workflows.ts';
import { t } from '../../text/index.ts';
import { Details } from './details.tsx';
import {
  type Filters,
  filters,
  find,
  found,
  loadMore,
  NO_FILTERS,
  progress,
  refresh,
  refused,
} from './found.ts';
import { Grid } from './grid.tsx';
import { Tile } from './tile.tsx';
import { WorkflowOptions } from './workflow-options.tsx';

/** ms without a key before a search begins. */
const TYPED = 300;
/** While a listed job has not ended. */
const LOOKS_AGAIN = 3000;

export default function Gallery() {
  const words = t().gallery;
  const [open] = place.value.rest;
  useEffect(() => {
    loadNames().catch(notifyFailure);
    void find({ ...NO_FILTERS, ...Object.fromEntries(place.value.query) });
  }, []);
  const isLive = found.value.some(({ status }) => status === 'queued' || status === 'processing');
  useEffect(() => {
    const look = () => void (document.visibilityState === 'visible' && refresh());
    const timer = isLive ? setInterval(look, LOOKS_AGAIN) : undefined;
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [isLive]);
  const onEnd = useCallback(() => void loadMore(), []);
  return (
    <>
      <Bar />
      {refused.value !== undefined && (
        <p class="field-error" role="alert">
          {refused.value}
        </p>
      )}
      <Grid
        label={words.list}
        items={found.value}
        keyOf={(job) => job.job_id}
        draw={(job) => <Tile job={job} />}
        onEnd={onEnd}
      />
      <p class="gallery-end" role="status">
        {progress.value === 'loading'
          ? words.loading
          : found.value.length === 0
            ? words.none
            : progress.value === 'all'
              ? words.all(found.value.length)
              : ''}
      </p>
      {open !== undefined && open !== '' && (
        <Details key={open} id={open} onClose={() => place.value.rest[0] === open && goTo('gallery')} />
      )}
    </>
  );
}

function Bar() {
  const words = t().gallery;
  const [wanted, setWanted] = useState<Filters>({ ...NO_FILTERS, ...Object.fromEntries(place.value.query) });
  useEffect(() => {
    if (
      Object.keys(NO_FILTERS).every(
        (name) => wanted[name as keyof Filters] === filters.value[name as keyof Filters],
      )
    )
      return undefined;
    const timer = setTimeout(() => void find(wanted), TYPED);
    return () => clearTimeout(timer);
  }, [wanted]);
  const set = (name: keyof Filters) => (event: { currentTarget: { value: string } }) =>
    setWanted({ ...wanted, [name]: event.currentTarget.value });
  const isFiltered = Object.values(wanted).some((value) => value !== '');
  return (
    <form
      class="gallery-bar"
      role="search"
      aria-label={words.filter}
      onSubmit={(event) => event.preventDefault()}
    >
      <label>
        <span>{words.search}</span>
        <input type="search" maxLength={200} value={wanted.search} onInput={set('search')} />
      </label>
      <label>
        <span>{words.workflow}</span>
        <select value={wanted.workflow} onChange={set('workflow')}>
          <WorkflowOptions chosen={wanted.workflow} />
        </select>
      </label>
      <label>
        <span>{words.state}</span>
        <select value={wanted.state} onChange={set('state')}>
          <option value="">{words.any}</option>
          {(['queued', 'processing', 'completed', 'failed', 'cancelled'] as const).map((state) => (
            <option key={state} value={state}>
              {t().job.states[state]}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{words.label}</span>
        <input value={wanted.label} placeholder="project:spring" onInput={set('label')} />
      </label>
      <Button disabled={!isFiltered} onClick={() => setWanted(NO_FILTERS)}>
        {words.clear}
      </Button>
    </form>
  );
}
