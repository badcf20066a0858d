// A plot of a few series over time. Bars of one time stand on each other, so that none hides another. A slider under it says the
// values of one time, for the keyboard, fingers and screen readers; all of them are in a table.

import { useId, useState } from 'preact/hooks';
import { t } from '../text/index.ts';

export interface Series {
  name: string;
  /** One for each label; null: nothing is known of it. */
  values: (number | null)[];
  /** Bars are amounts, which can be added up. */
  how: 'bar' | 'line';
}

interface PlotProps {
  title: string;
  labels: string[];
  series: Series[];
  /** Says a value, with its unit. */
  say: (value: number) => string;
}

const WIDTH = 600;
const HEIGHT = 140;

export function Plot({ title, labels, series, say }: PlotProps) {
  const id = useId();
  /** From the end: as time goes on, the latest stays the latest. */
  const [back, setBack] = useState(0);
  const most = greatestOf(series, labels.length);
  const step = WIDTH / Math.max(1, labels.length);
  const at = Math.max(0, labels.length - 1 - back);
  const said = (index: number) =>
    series.map(({ name, values }) => `${name} ${orNone(values[index], say)}`).join(', ');
  return (
    <figure class="plot">
      <figcaption id={id}>
        <strong>{title}</strong>
        {series.map(({ name, how }, index) => (
          <span key={name} class={`legend ${how} series-${index}`}>
            {name}
          </span>
        ))}
        <span class="grow" />
        <span class="field-about">{t().plot.most(say(most))}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-labelledby={id} preserveAspectRatio="none">
        <line x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} class="axis" />
        {back > 0 && <line class="mark" x1={(at + 0.5) * step} x2={(at + 0.5) * step} y1="0" y2={HEIGHT} />}
        <Shapes series={series} step={step} most={most} />
      </svg>
      {labels.length > 1 && (
        <label class="plot-values field-about">
          <span class="plot-value">
            <strong>{labels[at]}</strong> {said(at)}
          </span>
          <input
            type="range"
            min="0"
            max={labels.length - 1}
            value={at}
            aria-label={t().plot.valuesOf(title)}
            aria-valuetext={`${labels[at]}: ${said(at)}`}
            onInput={(event) => setBack(labels.length - 1 - Number(event.currentTarget.value))}
          />
        </label>
      )}
      <div class="plot-labels field-about" aria-hidden="true">
        <span>{labels[0]}</span>
        <span>{labels.at(-1)}</span>
      </div>
      <Table title={title} labels={labels} series={series} say={say} />
    </figure>
  );
}

const isBar = ({ how }: Series) => how === 'bar';
const sumOf = (values: readonly (number | null)[]) =>
  values.reduce<number>((so, value) => so + (value ?? 0), 0);
const orNone = (value: number | null | undefined, say: PlotProps['say']) =>
  value === null || value === undefined ? '–' : say(value);

/** Of what is drawn: all bars of a time together. */
function greatestOf(series: readonly Series[], count: number): number {
  const bars = series.filter(isBar);
  const stacks = Array.from({ length: count }, (_, index) =>
    sumOf(bars.map(({ values }) => values[index] ?? null)),
  );
  const lines = series
    .filter((one) => !isBar(one))
    .flatMap(({ values }) => values.map((value) => value ?? 0));
  return [...stacks, ...lines].reduce((so, value) => Math.max(so, value), 0);
}

function Shapes({ series, step, most }: { series: Series[]; step: number; most: number }) {
  const x = (index: number) => (index + 0.5) * step;
  const y = (value: number) => HEIGHT - (most > 0 ? value / most : 0) * (HEIGHT - 6);
  return (
    <>
      {series.map((one, index) => {
        const { name, values } = one;
        if (!isBar(one)) return <path key={name} class={`line series-${index}`} d={pathOf(values, x, y)} />;
        const below = (at: number) =>
          sumOf(
            series
              .slice(0, index)
              .filter(isBar)
              .map((lower) => lower.values[at] ?? null),
          );
        return (
          <g key={name} class={`bars series-${index}`}>
            {values.map((value, at) => {
              if (value === null || value <= 0) return null;
              const foot = below(at);
              return (
                <rect
                  key={at}
                  x={x(at) - step * 0.4}
                  width={Math.max(0.5, step * 0.8)}
                  y={y(foot + value)}
                  height={y(foot) - y(foot + value)}
                />
              );
            })}
          </g>
        );
      })}
    </>
  );
}

/** Made when it is opened: most never are, and a day has hundreds of rows. */
function Table({ title, labels, series, say }: PlotProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t().plot.table}</summary>
      {isOpen && (
        <div class="scroll" role="region" aria-label={title} tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t().plot.time}</th>
                {series.map(({ name }) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {series.some(isBar) && (
                <tr>
                  <th scope="row">{t().plot.sum}</th>
                  {series.map((one) => (
                    <td key={one.name}>{isBar(one) ? say(sumOf(one.values)) : '–'}</td>
                  ))}
                </tr>
              )}
              {labels
                .map((label, at) => ({ label, at }))
                .toReversed()
                .map(({ label, at }) => (
                  <tr key={at}>
                    <th scope="row">{label}</th>
                    {series.map(({ name, values }) => (
                      <td key={name}>{orNone(values[at], say)}</td>
                    ))}
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

/** Broken where nothing is known; a single point is a short line. */
function pathOf(
  values: readonly (number | null)[],
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  let isOpen = false;
  return values
    .map((value, index) => {
      if (value === null) {
        isOpen = false;
        return '';
      }
      const command = isOpen ? 'L' : 'M';
      const point = `${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
      const dot = !isOpen && (values[index + 1] ?? null) === null ? 'h2' : '';
      isOpen = true;
      return `${command}${point}${dot}`;
    })
    .join('');
}
