// Gives every contender its own copy of a driver module.

let copies = 0;

/**
 * Imports a fresh copy of driver.ts. The engine keeps its type feedback per function of a module, so one
 * loop shared by all contenders would see many kinds of allocator at its call sites, could not inline any of
 * them, and the contender measured first would look best. A query string makes each import a module of its
 * own while the source stays one typed file.
 */
export function loadDriver(): Promise<typeof import('./driver.ts')> {
  copies++;
  return import(`./driver.ts?copy=${copies}`);
}

/** The same for heap/driver.ts. */
export function loadHeapDriver(): Promise<typeof import('./heap/driver.ts')> {
  copies++;
  return import(`./heap/driver.ts?copy=${copies}`);
}
