// Ids, file names and keys: what one service writes and another must find again.
// Pure: random bytes come in as arguments.

import { createHash } from 'node:crypto';
import type { Priority } from './priority.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A lowercase canonical UUID (version 8: custom) by the hash of `parts`. */
function uuidOf(...parts: string[]): string {
  return toUuid(createHash('sha256').update(parts.join('\0')).digest());
}

function toUuid(bytes: Uint8Array): string {
  const b = Buffer.from(bytes.subarray(0, 16));
  b[6] = (b[6]! & 0x0f) | 0x80;
  b[8] = (b[8]! & 0x3f) | 0x80;
  const hex = b.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** By owner and idempotency key, the same for each repetition; without a key from 16 random bytes. */
export function jobIdFrom(from: { owner: string; key: string } | { random: Uint8Array }): string {
  return 'random' in from ? toUuid(from.random) : uuidOf('job', from.owner, from.key);
}

/** The idempotency key of a prompt whose id its client chose. No caller's own has a blank. */
export function promptKey(promptId: string): string {
  return `prompt ${promptId}`;
}

/** A lowercase canonical UUID. */
export function isJobId(text: string): boolean {
  return UUID.test(text);
}

/** The `prompt_id` that callers see: one for the life of a job. */
export function outwardPromptId(jobId: string): string {
  return uuidOf('prompt', jobId);
}

/** The `prompt_id` that ComfyUI gets: one for each attempt, so that a late prompt differs from its successor. */
export function attemptPromptId(jobId: string, attempt: number): string {
  return uuidOf('attempt', jobId, String(attempt));
}

/**
 * The `webhook-id` of a job's webhook, the same each time it is sent. A job that was removed may come again under its id,
 * by its idempotency key: its webhook then has another id.
 */
export function deliveryIdOf(jobId: string, createdAt: number): string {
  return uuidOf('webhook', jobId, String(createdAt));
}

/** An asset of an upload: by owner and idempotency key, the same for each repetition; else from 16 random bytes. */
export function assetIdFrom(from: { owner: string; key: string } | { random: Uint8Array }): string {
  return 'random' in from ? toUuid(from.random) : uuidOf('asset', from.owner, from.key);
}

/** The asset that a job's output is to callers of the Comfy API v2; its file name has the job. */
export function outputAssetId(filename: string): string {
  return uuidOf('output', filename);
}

/** The 32 hex digits of a job id. */
export function hexOf(jobId: string): string {
  return jobId.replaceAll('-', '');
}

function uuidOfHex(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** `Flux2_Turbo_<32 hex>_00001_.png`; `ordinal` counts from 1. */
export function imageName(prefix: string, jobId: string, ordinal: number, extension: string): string {
  return `${prefix}_${hexOf(jobId)}_${String(ordinal).padStart(5, '0')}_.${extension}`;
}

const IMAGE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}_([0-9a-f]{32})_\d{5}_\.[a-z0-9]{2,12}$/;

/** The job that made an image; undefined for a name that this API did not give. */
export function jobIdOfImage(filename: string): string | undefined {
  const hex = IMAGE_NAME.exec(filename)?.[1];
  return hex && uuidOfHex(hex);
}

/** The part of a ComfyUI `filename_prefix` that is allowed in a published name. */
export function publishedPrefix(filenamePrefix: string): string {
  const last = filenamePrefix.split(/[/\\]/).at(-1) ?? '';
  const plain = last
    .replaceAll(/%[^%]*%/g, '')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '_')
    .replaceAll(/^[._-]+|[_]+$/g, '')
    .slice(0, 60);
  return plain || 'ComfyUI';
}

/** The prefix of an attempt's output node: unique, so that it meets no other cache entry or file counter. */
export function stampedPrefix(filenamePrefix: string, jobId: string, attempt: number): string {
  return `${outputFolder(jobId)}/${publishedPrefix(filenamePrefix)}_${stampOf(jobId, attempt)}`;
}

/** The prefix that `stampedPrefix` was given, as it is published; any other text as it is. */
export function withoutStamp(prefix: string): string {
  return /^rest-api\/[0-9a-f]{3}\/(.+)_[0-9a-f]{32}_\d+$/.exec(prefix)?.[1] ?? prefix;
}

/** What stands before a prefix that another node makes. */
export function isStampAlone(text: unknown): boolean {
  return typeof text === 'string' && /^rest-api\/[0-9a-f]{3}\/[0-9a-f]{32}_\d+_$/.test(text);
}

/**
 * Where a job's files lie in ComfyUI's output folder. ComfyUI lists the whole folder of a file before it writes it: with 8,000
 * files beside it that takes 60 ms (0.33). One of 4,096 folders stays short for a million.
 */
export function outputFolder(jobId: string): string {
  return `rest-api/${hexOf(jobId).slice(0, 3)}`;
}

/** Part of the name, or of the folder, of every file of an attempt. */
export function stampOf(jobId: string, attempt: number): string {
  return `${hexOf(jobId)}_${attempt}`;
}

/** @param path a file with its folder; @param stamp of `stampOf` */
export function isStamped(path: string, stamp: string): boolean {
  const at = path.indexOf(stamp);
  // Attempt 1 is not attempt 11.
  return at >= 0 && !/^\d/.test(path.slice(at + stamp.length));
}

export const UPLOAD_NAME = /^[0-9a-f]{64}\.[a-z0-9]{1,10}$/;

/** `<64 hex>.png`: an upload is named by its content. */
export function uploadName(sha256Hex: string, extension: string): string {
  return `${sha256Hex}.${extension}`;
}

/** As `uploadName` makes them. */
export function isUploadName(name: string): boolean {
  return UPLOAD_NAME.test(name);
}

/** A file in the bucket that a job reads. `sha256`: hex, where it is known and not in the key. */
export interface InputKey {
  key: string;
  sha256?: string | undefined;
}

/** Of the bytes, hex; undefined: not known. */
export function contentHashOf({ key, sha256 }: InputKey): string | undefined {
  return sha256 ?? /^uploads\/[0-9a-f]{16}\/([0-9a-f]{64})\.[a-z0-9]+$/.exec(key)?.[1];
}

/** The name of an input in ComfyUI's input folder: of its content, so that jobs that read the same file share it. */
export function stagedName(input: InputKey): string {
  const extension = input.key.slice(input.key.lastIndexOf('.') + 1);
  const hash = contentHashOf(input) ?? createHash('sha256').update(input.key).digest('hex');
  return `staged-${hash}.${extension}`;
}

/** As `stagedName` makes them: a person's own file has no such name. */
export function isStagedName(name: string): boolean {
  return /^staged-[0-9a-f]{64}\.[a-z0-9]{1,12}$/.test(name);
}

/** An owner's name as 16 hex digits, for keys where any name must fit. */
export function ownerTag(owner: string): string {
  return createHash('sha256').update(owner).digest('hex').slice(0, 16);
}

/** The name of the host of one of a machine's ComfyUIs; by its address, so that their order is of no account. */
export function machineIdOfOne(machineId: string, comfyuiUrl: string): string {
  return `${machineId}-${createHash('sha256').update(comfyuiUrl).digest('hex').slice(0, 8)}`;
}

/** A webhook's receiver as 16 hex digits: by host and port of its endpoint, whatever the path. */
export function receiverTag(url: string): string {
  return createHash('sha256').update(new URL(url).host).digest('hex').slice(0, 16);
}

/** Keys in the bucket. An image's key has job and attempt: no attempt overwrites another's. */
export const keys = {
  image: (jobId: string, attempt: number, filename: string) =>
    `images/${hexOf(jobId)}/${attempt}/${filename}`,
  imagesOfJob: (jobId: string) => `images/${hexOf(jobId)}/`,
  /** `made`: what it is to the output. */
  derived: (jobId: string, attempt: number, filename: string, made: string) =>
    `derived/${hexOf(jobId)}/${attempt}/${filename}.${made}`,
  /** The newest preview of a job that is watched from another process than its host's. */
  preview: (jobId: string) => `derived/${hexOf(jobId)}/preview.json`,
  derivedOfJob: (jobId: string) => `derived/${hexOf(jobId)}/`,
  upload: (owner: string, name: string) => `uploads/${ownerTag(owner)}/${name}`,
  graph: (jobId: string) => `graphs/${hexOf(jobId)}.json.gz`,
  inventory: (hash: string) => `inventories/${hash}.json.gz`,
};

/**
 * A sort key: `<13 digits of the start tag>-<13 of the acceptance>-<5 of the sequence>-<8 of the id>[-<models>][-<priority>]-<owner tag>`. The start
 * tag (start-tag.ts) is the moment of acceptance unless the owner has jobs waiting; of equal ones the job that was accepted
 * first comes first. The sequence orders what one process accepts within a millisecond; the id keeps keys of two processes
 * apart, since a page of the queue begins behind a key. The owner tag shows in the index whose job it is, and before it, for
 * jobs that need any, the tag of its models (affinity.ts) which host has them loaded, and a letter its priority, where that is not
 * normal, or where it was moved (a capital): without reading the job.
 */
export function workOrder(
  startTag: number,
  sequence: number,
  jobId: string,
  owner: string,
  acceptedAt = startTag,
  models?: string,
  priority: Priority = 'normal',
): string {
  return [
    digits(startTag),
    digits(acceptedAt),
    String(sequence % 100_000).padStart(5, '0'),
    jobId.slice(0, 8),
    ...(models === undefined ? [] : [models]),
    ...(priority === 'normal' ? [] : [priority[0]!]),
    ownerTag(owner),
  ].join('-');
}

/** Times of 13 digits end in the year 2286; a start tag beyond keeps the order of acceptance. */
function digits(time: number): string {
  return String(Math.min(time, 9_999_999_999_999)).padStart(13, '0');
}

/** Start tag and time of acceptance (ms). */
export function readWorkOrder(order: string): { startTag: number; acceptedAt: number } {
  const startTag = Number(order.slice(0, 13));
  // An earlier release wrote one for both.
  const accepted = /^\d{13}-(\d{13})-/.exec(order)?.[1];
  return { startTag, acceptedAt: accepted === undefined ? startTag : Number(accepted) };
}

/** The work order of a job that went back to another start tag. It shows that it was moved. */
export function withStartTag(order: string, startTag: number): string {
  const moved = `${digits(startTag)}${order.slice(13)}`;
  return moved.replace(/(?:-([hlnHLN]))?(?=-[0-9a-f]{16}$)/, (_, letter = 'n') => `-${letter.toUpperCase()}`);
}

const LETTER = /-([hlnHLN])-[0-9a-f]{16}$/;
const PRIORITY_BY_LETTER: Record<string, Priority> = { h: 'high', n: 'normal', l: 'low' };

export function priorityIn(order: string): Priority {
  return PRIORITY_BY_LETTER[LETTER.exec(order)?.[1]?.toLowerCase() ?? 'n']!;
}

/** Whether the job went back for one of higher priority: a host that listed it before may run it at its former place. */
export function wasMoved(order: string): boolean {
  return /[HLN]/.test(LETTER.exec(order)?.[1] ?? '');
}

/** The owner tag in a work order. */
export function ownerTagOf(order: string): string {
  return order.slice(order.lastIndexOf('-') + 1);
}

/** The tag of its models in a work order; undefined: it needs none, or an earlier release wrote it. */
export function modelsTagIn(order: string): string | undefined {
  return /^\d{13}-\d{13}-\d{5}-[0-9a-f]{8}-([0-9a-f]{8})-/.exec(order)?.[1];
}

/** The sort key of an owner's jobs, oldest first; the id keeps equal times apart. @param createdAt ms */
export function ownerOrder(createdAt: number, jobId: string): string {
  return `${String(createdAt).padStart(13, '0')}#${jobId}`;
}

/** As `ownerOrder` makes them. */
export const OWNER_ORDER = /^\d{13}#[0-9a-f-]{36}$/;

/** A job's place in a list of outputs, and how many of that job's were listed before. */
export const PLACE_AMONG_OUTPUTS = /^\d{13}#[0-9a-f-]{36}~\d{1,4}$/;

/** The sort key behind lists: by status, then `place` (an `ownerOrder`). Rows have the number of images, to be summed. */
export function listOrder(status: 'completed' | 'failed', place: string, images = 0): string {
  return `${status}#${place}#${images}`;
}

/** @returns `place`: the job's `ownerOrder` */
export function readListOrder(order: string): { place: string; images: number } {
  const parts = order.split('#');
  return { place: parts.slice(1, -1).join('#'), images: Number(parts.at(-1)) };
}
