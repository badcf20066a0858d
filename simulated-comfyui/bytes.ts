// Numbers and texts as the bytes of files, the high byte first.

export const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
export const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
export const u32 = (...values: number[]): Buffer =>
  Buffer.from(
    values.flatMap((value) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]),
  );
