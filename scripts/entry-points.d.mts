/** A module that programs may import. The paths are relative to the project's folder. */
export interface EntryPoint {
  /** Name of its files, without an ending: `index` for the package itself. */
  readonly name: string;
  /** What an import names, such as `buddy-allocator/heap`. */
  readonly specifier: string;
  /** The module in src/. */
  readonly source: string;
  /** The files in dist/: its types and its code. */
  readonly built: readonly string[];
}

/** In the order of package.json. */
export const entryPoints: readonly EntryPoint[];
