// The hosts: state, machine, what each runs.

import type { HostList } from '../../api/types.ts';
import { numberOf, t, timeOf } from '../../text/index.ts';

const GIB = 1024;

export function Hosts({ hosts }: { hosts: HostList['hosts'] }) {
  const words = t().operations;
  if (hosts.length === 0) return <p class="field-about">{words.noHosts}</p>;
  return (
    <ul class="hosts">
      {hosts.map((host) => (
        <li key={host.host_id}>
          <p class="row">
            <strong>{host.devices.map(({ name }) => name).join(', ') || host.machine_id}</strong>
            <span class={host.comfyui === 'connected' ? 'badge good' : 'badge bad'}>
              {host.state === 'draining' ? words.draining : words.comfyui[host.comfyui]}
            </span>
            {host.simulated && <span class="badge">{words.simulated}</span>}
            <span class="field-about">ComfyUI {host.comfyui_version ?? '?'}</span>
          </p>
          {host.devices.map(({ name, vram, vram_free: free }, index) => (
            <p key={index} class="memory">
              <meter aria-label={words.memoryOf(name)} min="0" max={vram} value={vram - free} />
              <span class="field-about">
                {words.memory(numberOf((vram - free) / GIB, 1), numberOf(vram / GIB, 1))}
              </span>
            </p>
          ))}
          {host.trouble && <p class="field-error">{host.trouble}</p>}
          <p class="field-about">
            {host.zone !== null && `${host.machine_id}, ${host.zone} · `}
            {words.slots(host.held, host.slots)} · {words.since(timeOf(host.started_at))}
            {host.models.length > 0 && ` · ${host.models.join(', ')}`}
          </p>
          {host.running.map((job) => (
            <p key={job.job_id} class="memory">
              <progress
                aria-label={words.progressOf(job.job_id)}
                max="1"
                {...(job.status === 'processing' && { value: job.progress })}
              />
              <span class="field-about">
                {job.owner} · {job.job_id.slice(0, 8)}
              </span>
            </p>
          ))}
        </li>
      ))}
    </ul>
  );
}
