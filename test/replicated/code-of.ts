// What a call is refused with.

/** The `code` of the error that `call` rejects with, or its name if it has none; 'none' if it resolves. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'none',
    (error: Error & { readonly code?: string }) => error.code ?? error.name,
  );
}
