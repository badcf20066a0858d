// The queue, owner by owner.

import type { QueueByOwner } from '../../api/types.ts';
import { durationOf, numberOf, t } from '../../text/index.ts';

export function Queue({ queue }: { queue: QueueByOwner }) {
  const words = t().operations;
  const waited = (seconds: number | null) => (seconds === null ? '–' : durationOf(seconds));
  return (
    <>
      <p>
        {words.waiting(numberOf(queue.waiting), numberOf(queue.held))}
        {!queue.counted_all && ` ${words.notAll}`}
      </p>
      {queue.owners.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{words.owner}</th>
              <th scope="col">{words.waits}</th>
              <th scope="col">{words.held}</th>
              <th scope="col">{words.oldest}</th>
            </tr>
          </thead>
          <tbody>
            {queue.owners.map((one) => (
              <tr key={one.owner}>
                <th scope="row">{one.owner}</th>
                <td>{numberOf(one.waiting)}</td>
                <td>{numberOf(one.held)}</td>
                <td>{waited(one.oldest_wait_seconds)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
