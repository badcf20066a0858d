// A plot of a few series over time, with its numbers as a table for those who do not see it.

import { useId } from 'preact/hooks';
import { t } from '../text/index.ts';

export interface Series {
  name: string;
  /** One for each label; null: nothing is known of it. */
  values: (number | null)[];
  how: 'bar' | 'line';
}

interface PlotProps {
  title: string;
  labels: string[];
  series: Series[];
  /** Says a value. */
  say: (value: number) => string;
}

const WIDTH = 600;
const HEIGHT = 140;
/** At most this many rows in the table. */
const ROWS = 100;

export function Plot({ title, labels, series, say }: PlotProps) {
  const id = useId();
  const most = Math.max(1e-9, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const step = WIDTH / Math.max(1, labels.length);
  const x = (index: number) => (index + 0.5) * step;
  const y = (value: number) => HEIGHT - (value / most) * (HEIGHT - 6);
  return (
    <figure class="plot">
      <figcaption id={id}>
        <strong>{title}</strong>
        {series.map(({ name }, index) => (
          <span key={name} class={`legend series-${index}`}>
            {name}
          </span>
        ))}
        <span class="grow" />
        <span class="field-about">{t().plot.most(say(most === 1e-9 ? 0 : most))}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-labelledby={id} preserveAspectRatio="none">
        <line x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} class="axis" />
        {series.map(({ name, values, how }, index) =>
          how === 'bar' ? (
            <g key={name} class={`bars series-${index}`}>
              {values.map(
                (value, at) =>
                  value !== null &&
                  value > 0 && (
                    <rect
                      key={at}
                      x={x(at) - step * 0.4}
                      width={Math.max(0.5, step * 0.8)}
                      y={y(value)}
                      height={HEIGHT - y(value)}
                    />
                  ),
              )}
            </g>
          ) : (
            <path key={name} class={`line series-${index}`} d={pathOf(values, x, y)} />
          ),
        )}
      </svg>
      <div class="plot-labels field-about" aria-hidden="true">
        <span>{labels[0]}</span>
        <span>{labels.at(-1)}</span>
      </div>
      <details>
        <summary>{t().plot.table}</summary>
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
              {labels
                .map((label, at) => ({ label, at }))
                .slice(-ROWS)
                .toReversed()
                .map(({ label, at }) => (
                  <tr key={at}>
                    <th scope="row">{label}</th>
                    {series.map(({ name, values }) => {
                      const value = values[at];
                      return <td key={name}>{value === null || value === undefined ? '–' : say(value)}</td>;
                    })}
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
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
      const dot = !isOpen && values[index + 1] === null ? 'h2' : '';
      isOpen = true;
      return `${command}${point}${dot}`;
    })
    .join('');
}
