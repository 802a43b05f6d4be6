// The part of WebGL that the pool uses, as a structural type: WebGL2RenderingContext is assignable to it, whichever
// library declares that. So the published types do not depend on the types of the DOM.

/** The part of a `WebGL2RenderingContext` that the pool uses. Its buffers are of type `B`. */
export interface GlContext<B> {
  readonly canvas: {
    addEventListener(type: string, listener: () => void): void;
    removeEventListener(type: string, listener: () => void): void;
  };
  isContextLost(): boolean;
  createBuffer(): B | null;
  deleteBuffer(buffer: B | null): void;
  bindBuffer(target: number, buffer: B | null): void;
  bufferData(target: number, size: number, usage: number): void;
  bufferSubData(target: number, offset: number, data: Uint8Array<ArrayBuffer>): void;
  copyBufferSubData(
    source: number,
    destination: number,
    sourceOffset: number,
    destinationOffset: number,
    size: number,
  ): void;
  getBufferParameter(target: number, name: number): unknown;
  getParameter(name: number): unknown;
  fenceSync(condition: number, flags: number): unknown;
  clientWaitSync(sync: unknown, flags: number, timeout: number): number;
  deleteSync(sync: unknown): void;
  flush(): void;
}
