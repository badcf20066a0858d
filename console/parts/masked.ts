// What becomes of a painted mask. Pure but for the pixels.

/** White where it was painted, and transparent: a loader that reads colours and one that reads alpha see the same mask. */
export function maskOf({ data, width, height }: ImageData): ImageData {
  const mask = new ImageData(width, height);
  for (let at = 0; at < data.length; at += 4) {
    const painted = data[at + 3]! > 127;
    mask.data.fill(painted ? 255 : 0, at, at + 3);
    mask.data[at + 3] = painted ? 0 : 255;
  }
  return mask;
}

/** The image, transparent where it was painted: ComfyUI's LoadImage gives that as its mask. */
export function imageWithMask(image: ImageData, { data }: ImageData): ImageData {
  const masked = new ImageData(new Uint8ClampedArray(image.data), image.width, image.height);
  for (let at = 3; at < data.length; at += 4) if (data[at]! > 127) masked.data[at] = 0;
  return masked;
}
