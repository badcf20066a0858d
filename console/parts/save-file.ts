// Gives the person a file that the page has in memory.

/** A browser that has begun to save does not need the address any more. ms */
const SAVES_WITHIN = 1500;

export function saveFile(filename: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = filename;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), SAVES_WITHIN);
}
