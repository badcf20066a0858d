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
  /**
   * Takes exactly this file, once, by a PUT; begun before the link ends it may go on. `endpoint`: as of `link`.
   * `sha256`: in hex.
   */
  uploadLink(options: UploadedFile & { endpoint?: string | undefined }): Promise<UploadLink>;
}

export interface UploadedFile {
  key: string;
  sizeBytes: number;
  sha256: string;
}

export interface UploadLink {
  url: string;
  /** To be sent as they are, beside the Content-Length that clients send by themselves. */
  headers: Record<string, string>;
}

/** With the encoding that texts have here. */
export function servedType(contentType: string): string {
  return contentType.startsWith('text/') ? `${contentType}; charset=utf-8` : contentType;
}

/** Bitmaps, sound, film and plain text run nothing in a browser; everything else, above all SVG and HTML, is saved. */
const SHOWN = /^(image\/(png|jpeg|webp|gif|avif|bmp)|(audio|video)\/[\w.+-]+|text\/plain)(;|$)/;

/** A Content-Disposition by RFC 6266; the second form is for names beyond ASCII. */
function dispositionOf(filename: string, isShown: boolean): string {
  const how = isShown ? 'inline' : 'attachment';
  const plain = filename.replaceAll(/[^\x20-\x7e]|["\\]/g, '_');
  return plain === filename
    ? `${how}; filename="${plain}"`
    : `${how}; filename="${plain}"; filename*=UTF-8''${escaped(filename)}`;
}

/** What keeps a file of this type from running as a page of the origin that serves it. */
export function safetyOf(contentType: string, filename?: string) {
  const isShown = SHOWN.test(contentType);
  return {
    ...((filename !== undefined || !isShown) && {
      'Content-Disposition': filename === undefined ? 'attachment' : dispositionOf(filename, isShown),
    }),
    ...(!isShown && { 'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; sandbox" }),
  };
}

/** For a path or a query, as the SDK escapes it. */
export function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
