// GET /metrics: the same numbers for Prometheus. What is read from the tables is the same from every process of a deployment,
// and counters of ended jobs begin anew at midnight UTC, for all of them alike; what is of one process says so.

import { dayOf } from '../../core/quota.ts';
import type { Host } from '../../core/host.ts';
import { BOUNDS } from '../../core/ledger.ts';
import { sumOf } from '../../core/ledger-sums.ts';
import { route } from '../http/route.ts';
import type { AdminDeps } from './deps.ts';
import { intervalsOf } from './end-routes.ts';
import type { Ends } from './ends.ts';
import { exposition, type Family, histogram } from './exposition.ts';
import { type OwnersQueue, secondsSince } from './queue.ts';

const TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const MIB = 2 ** 20;
/** Webhooks that are counted, by one page of an index. */
const DUE_COUNTED = 1000;
/** Owners with lines of their own: a line is a series, which Prometheus keeps. */
const OWNERS = 50;
const HOSTS = 500;

export function metricsRoutes(deps: AdminDeps, { ends, queue }: { ends: Ends; queue: OwnersQueue }) {
  return [
    route(
      {
        route: 'GET /metrics',
        id: 'metrics',
        tag: 'Operations',
        summary: 'For Prometheus',
        description: 'Its text format. Prometheus sends a key as `authorization: {credentials: ck_…}`.',
        scope: 'admin',
        alsoAtRoot: true,
        answers: {
          200: { description: 'The numbers of now', content: { 'text/plain': { type: 'string' } } },
        },
      },
      async (c) => {
        const now = deps.now();
        const midnight = Date.parse(`${dayOf(now)}T00:00:00Z`);
        const [hosts, queued, rows, due] = await Promise.all([
          deps.fleet.hosts(),
          queue(),
          ends.rows(midnight),
          deps.deliveries.countDue(DUE_COUNTED),
        ]);
        const today = sumOf(intervalsOf(rows).map(({ interval }) => interval));
        const text = exposition([
          ...queueFamilies(queued, now),
          ...hostFamilies(hosts),
          ...endFamilies(today),
          ...webhookFamilies(today),
          gauge('comfyui_webhooks_due', `Webhooks that are to be sent, at most ${DUE_COUNTED}`, due),
          ...processFamilies(deps),
        ]);
        return c.body(text, 200, { 'Content-Type': TYPE, 'Cache-Control': 'no-store' });
      },
    ),
  ];
}

const gauge = (name: string, help: string, value: number): Family => ({
  name,
  type: 'gauge',
  help,
  samples: [{ value }],
});

function queueFamilies(queue: Awaited<ReturnType<OwnersQueue>>, now: number): Family[] {
  const owners = queue.owners.slice(0, OWNERS);
  return [
    {
      name: 'comfyui_jobs',
      type: 'gauge',
      help: 'Jobs that have not ended',
      samples: [
        { labels: { state: 'waiting' }, value: queue.waiting },
        { labels: { state: 'held' }, value: queue.held },
      ],
    },
    gauge(
      'comfyui_oldest_wait_seconds',
      'How long the oldest waiting job has waited; 0: none waits',
      secondsSince(queue.oldestSince, now) ?? 0,
    ),
    {
      name: 'comfyui_owner_jobs',
      type: 'gauge',
      help: `Jobs that have not ended, of the ${OWNERS} owners with most of them`,
      samples: owners.flatMap(({ owner, waiting, held }) => [
        { labels: { owner, state: 'waiting' }, value: waiting },
        { labels: { owner, state: 'held' }, value: held },
      ]),
    },
  ];
}

function hostFamilies(all: readonly Host[]): Family[] {
  const hosts = all.slice(0, HOSTS);
  const perHost = (name: string, help: string, value: (host: Host) => number): Family => ({
    name,
    type: 'gauge',
    help,
    samples: hosts.map((host) => ({ labels: { host: host.hostId }, value: value(host) })),
  });
  const perDevice = (
    name: string,
    help: string,
    value: (device: Host['devices'][number]) => number,
  ): Family => ({
    name,
    type: 'gauge',
    help,
    samples: hosts.flatMap(({ hostId, devices }) =>
      devices.map((device, index) => ({
        labels: { host: hostId, device: device.name, index: String(index) },
        value: value(device),
      })),
    ),
  });
  const count = (state: Host['state']) => all.filter((host) => host.state === state).length;
  return [
    {
      name: 'comfyui_hosts',
      type: 'gauge',
      help: 'Hosts that are alive',
      samples: (['ready', 'draining'] as const).map((state) => ({ labels: { state }, value: count(state) })),
    },
    perHost('comfyui_host_up', '1: its ComfyUI answers', ({ comfyui }) => (comfyui ? 1 : 0)),
    perHost('comfyui_host_held_jobs', 'Jobs that it holds', ({ held }) => held),
    perHost('comfyui_host_slots', 'Jobs that it may hold', ({ slots }) => slots),
    perDevice('comfyui_gpu_memory_bytes', 'Memory of a GPU', ({ vram }) => vram * MIB),
    perDevice('comfyui_gpu_memory_free_bytes', 'What of it is free', ({ vramFree }) => vramFree * MIB),
  ];
}

const counter = (name: string, help: string, value: number): Family => ({
  name,
  type: 'counter',
  help: `${help}, since midnight UTC`,
  samples: [{ value }],
});

function webhookFamilies({ webhooks }: ReturnType<typeof sumOf>): Family[] {
  return [
    {
      name: 'comfyui_webhook_tries_total',
      type: 'counter',
      help: 'Tries to deliver webhooks, since midnight UTC',
      samples: [
        { labels: { outcome: 'delivered' }, value: webhooks.delivered },
        { labels: { outcome: 'failed' }, value: webhooks.failed },
      ],
    },
    counter('comfyui_webhooks_given_up_total', 'Webhooks that were given up', webhooks.gaveUp),
  ];
}

function endFamilies(today: ReturnType<typeof sumOf>): Family[] {
  return [
    {
      name: 'comfyui_jobs_ended_total',
      type: 'counter',
      help: 'Jobs that completed, failed or were cancelled, by the code of the failure, since midnight UTC',
      samples: [
        { labels: { outcome: 'completed', code: '' }, value: today.completed },
        { labels: { outcome: 'cancelled', code: '' }, value: today.cancelled },
        ...Object.entries(today.failed).map(([code, value]) => ({
          labels: { outcome: 'failed', code },
          value,
        })),
      ],
    },
    counter(
      'comfyui_outputs_total',
      'Images and other files of jobs that completed or failed',
      today.outputs,
    ),
    counter('comfyui_gpu_seconds_total', 'GPU time of jobs that completed or failed', today.gpuMs / 1000),
    histogram('comfyui_job_wait_seconds', 'From acceptance to the first start, since midnight UTC', {
      bounds: BOUNDS,
      counts: today.waits,
      sum: today.waitMs / 1000,
    }),
    histogram('comfyui_job_run_seconds', 'GPU time of all attempts of a job, since midnight UTC', {
      bounds: BOUNDS,
      counts: today.runs,
      sum: today.gpuMs / 1000,
    }),
  ];
}

function processFamilies({ requests }: AdminDeps): Family[] {
  const counts = [...requests.all()];
  const labelled = (value: (one: (typeof counts)[number]) => number) =>
    counts.map((one) => ({
      labels: { method: one.method, route: one.route, status: String(one.status) },
      value: value(one),
    }));
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return [
    {
      name: 'comfyui_http_requests_total',
      type: 'counter',
      help: 'Requests that this process has answered',
      samples: labelled(({ count }) => count),
    },
    {
      name: 'comfyui_http_request_seconds_total',
      type: 'counter',
      help: 'How long they took until their answers began, of this process',
      samples: labelled(({ ms }) => ms / 1000),
    },
    gauge('process_resident_memory_bytes', 'Memory of this process', rss),
    gauge('nodejs_heap_size_used_bytes', 'Of it, the heap of JavaScript', heapUsed),
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'CPU time of this process',
      samples: [{ value: (user + system) / 1e6 }],
    },
    gauge(
      'process_start_time_seconds',
      'When this process started, since 1970',
      Math.round(Date.now() / 1000 - process.uptime()),
    ),
  ];
}
