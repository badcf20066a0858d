// Types of what the thread imports and its packages do not declare: WebAssembly as a path beside the bundle (build.mjs), and the parts
// of the packages that take a compiled module.

declare module '*.wasm' {
  const path: string;
  export default path;
}

declare module '@cornerstonejs/codec-libjpeg-turbo-8bit/wasm' {
  const path: string;
  export default path;
}

declare module '@cornerstonejs/codec-libjpeg-turbo-8bit/wasmjs' {
  interface Frame {
    width: number;
    height: number;
    bitsPerSample: number;
    componentCount: number;
    isSigned: boolean;
  }
  /** Buffers lie in the memory of the module, which moves when it grows: they are copied at once. */
  export interface Turbo {
    JPEGDecoder: new () => {
      getEncodedBuffer(bytes: number): Uint8Array;
      decode(): void;
      getFrameInfo(): Frame;
      getDecodedBuffer(): Uint8Array;
      delete(): void;
    };
    JPEGEncoder: new () => {
      getDecodedBuffer(frame: Frame): Uint8Array;
      /** 0: 4:4:4, 2: 4:2:0. */
      setSubSampling(kind: number): void;
      setQuality(quality: number): void;
      setProgressive(on: boolean): void;
      encode(): void;
      getEncodedBuffer(): Uint8Array;
      delete(): void;
    };
  }
  export default function create(options: { wasmBinary: Uint8Array }): Promise<Turbo>;
}
