// Graphs of different shapes, and the types of what each is expected to make, in order.

type Node = { class_type: string; inputs: Record<string, unknown> };
const node = (class_type: string, inputs: Record<string, unknown>): Node => ({ class_type, inputs });
const image = (batch_size = 1) => node('EmptyImage', { width: 64, height: 48, batch_size, color: 255 });
const audio = (sample_rate = 44_100) => node('EmptyAudio', { duration: 0.5, sample_rate, channels: 2 });
const text = (value: string) => node('PrimitiveString', { value });
const save = (prefix: string, images: [string, number] = ['1', 0]) =>
  node('SaveImage', { images, filename_prefix: prefix });
const video = { 1: image(4), 2: node('CreateVideo', { images: ['1', 0], fps: 8 }) };
const film = (format: string, codec = 'auto') =>
  node('SaveVideo', { video: ['2', 0], filename_prefix: 'video/V', format, 'format.codec': codec });
const webp = { filename_prefix: 'An', fps: 6, lossless: true, quality: 80, method: 'default' };

/** The types of what each is expected to make, in order. */
export const GRAPHS: Record<string, [Record<string, Node>, string[]]> = {
  image: [{ 1: image(), 2: save('Pic') }, ['image/png']],
  batch: [{ 1: image(3), 2: save('sub/Pic') }, ['image/png', 'image/png', 'image/png']],
  two_nodes: [{ 1: image(), 12: save('B'), 9: save('A') }, ['image/png', 'image/png']],
  preview: [{ 1: image(2), 2: node('PreviewImage', { images: ['1', 0] }) }, ['image/png', 'image/png']],
  preview_beside_saved: [
    { 1: image(), 2: node('PreviewImage', { images: ['1', 0] }), 3: save('P') },
    ['image/png'],
  ],
  flac: [
    { 1: audio(), 2: node('SaveAudio', { audio: ['1', 0], filename_prefix: 'audio/A' }) },
    ['audio/flac'],
  ],
  mp3: [
    { 1: audio(), 2: node('SaveAudioMP3', { audio: ['1', 0], filename_prefix: 'A', quality: 'V0' }) },
    ['audio/mpeg'],
  ],
  opus: [
    {
      1: audio(48_000),
      2: node('SaveAudioOpus', { audio: ['1', 0], filename_prefix: 'A', quality: '128k' }),
    },
    ['audio/ogg'],
  ],
  preview_audio: [{ 1: audio(), 2: node('PreviewAudio', { audio: ['1', 0] }) }, ['audio/flac']],
  mp4: [{ ...video, 3: film('mp4', 'h264') }, ['video/mp4']],
  mkv: [{ ...video, 3: film('mkv', 'h264') }, ['video/x-matroska']],
  auto: [{ ...video, 3: film('auto') }, ['video/mp4']],
  webm: [
    {
      1: image(4),
      2: node('SaveWEBM', { images: ['1', 0], filename_prefix: 'W', codec: 'vp9', fps: 8, crf: 32 }),
    },
    ['video/webm'],
  ],
  animated_webp: [
    { 1: image(3), 2: node('SaveAnimatedWEBP', { images: ['1', 0], ...webp }) },
    ['image/webp'],
  ],
  still_webp: [{ 1: image(), 2: node('SaveAnimatedWEBP', { images: ['1', 0], ...webp }) }, ['image/webp']],
  shown_text: [{ 1: text('hello, wörld'), 2: node('PreviewAny', { source: ['1', 0] }) }, ['text/plain']],
  no_text: [{ 1: text(''), 2: node('PreviewAny', { source: ['1', 0] }) }, ['text/plain']],
  saved_text: [
    { 1: text('# Title'), 2: node('SaveText', { text: ['1', 0], filename_prefix: 'T', format: 'md' }) },
    ['text/plain', 'text/markdown'],
  ],
  empty_text: [
    { 1: text(''), 2: node('SaveText', { text: ['1', 0], filename_prefix: 'T', format: 'txt' }) },
    ['text/plain', 'text/plain'],
  ],
  latent: [
    {
      1: node('EmptyLatentImage', { width: 64, height: 64, batch_size: 1 }),
      2: node('SaveLatent', { samples: ['1', 0], filename_prefix: 'latents/L' }),
    },
    ['application/octet-stream'],
  ],
  text_beside_image: [
    { 1: image(), 2: node('PreviewAny', { source: ['3', 0] }), 3: text('a caption'), 4: save('I') },
    ['text/plain', 'image/png'],
  ],
  everything: [
    {
      1: image(2),
      2: save('E'),
      3: audio(),
      4: node('SaveAudio', { audio: ['3', 0], filename_prefix: 'E' }),
      5: node('PreviewAny', { source: ['6', 0] }),
      6: text('a note'),
      7: node('CreateVideo', { images: ['1', 0], fps: 8, audio: ['3', 0] }),
      8: node('SaveVideo', { video: ['7', 0], filename_prefix: 'E', format: 'mp4', 'format.codec': 'auto' }),
    },
    ['image/png', 'image/png', 'audio/flac', 'text/plain', 'video/mp4'],
  ],
  ids_of_subgraphs: [
    {
      1: image(),
      '12:10': node('PreviewAny', { source: ['2', 0] }),
      '12:5': save('S'),
      2: text('of a subgraph'),
    },
    ['image/png', 'text/plain'],
  ],
};

/** Nodes that only a real ComfyUI has. */
export const REAL_GRAPHS: typeof GRAPHS = {
  mask: [
    {
      1: node('SolidMask', { value: 0.5, width: 64, height: 48 }),
      2: node('MaskToImage', { mask: ['1', 0] }),
      3: save('M', ['2', 0]),
    },
    ['image/png'],
  ],
  composite: [
    {
      1: image(),
      2: node('SolidMask', { value: 1, width: 32, height: 24 }),
      3: node('EmptyImage', { width: 32, height: 24, batch_size: 1, color: 65_280 }),
      4: node('ImageCompositeMasked', {
        destination: ['1', 0],
        source: ['3', 0],
        x: 8,
        y: 8,
        resize_source: false,
        mask: ['2', 0],
      }),
      5: save('C', ['4', 0]),
    },
    ['image/png'],
  ],
  batch_of_two: [
    {
      1: image(),
      2: node('EmptyImage', { width: 64, height: 48, batch_size: 2, color: 65_280 }),
      3: node('ImageBatch', { image1: ['1', 0], image2: ['2', 0] }),
      4: save('B', ['3', 0]),
    },
    ['image/png', 'image/png', 'image/png'],
  ],
};

/** Ends with an error of its node 3: the encoder takes even sizes only. */
export const FAILING = {
  1: node('EmptyImage', { width: 65, height: 49, batch_size: 4, color: 255 }),
  2: node('CreateVideo', { images: ['1', 0], fps: 8 }),
  3: film('mp4', 'h264'),
};
