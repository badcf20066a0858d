// Links to images: what every engine's have in common. They open without credentials for a quarter of an hour, and are
// signed when they are read, never stored.

export interface Presigner {
  /**
   * `endpoint`: where the api is reached, `http://host:5000` or `https://host/path`, whose proxy strips the path;
   * undefined: AWS. `filename`: the name under which a browser saves the image.
   */
  link(options: {
    endpoint?: string | undefined;
    key: string;
    filename?: string | undefined;
    contentType?: string | undefined;
  }): Promise<string>;
}

/** A Content-Disposition by RFC 6266; the second form is for names beyond ASCII. */
export function inline(filename: string): string {
  const plain = filename.replaceAll(/[^\x20-\x7e]|["\\]/g, '_');
  return plain === filename
    ? `inline; filename="${plain}"`
    : `inline; filename="${plain}"; filename*=UTF-8''${escaped(filename)}`;
}

/** For a path or a query, as the SDK escapes it. */
export function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
