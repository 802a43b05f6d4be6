// The code of an error.

/** The `code` of the error that `action` throws; 'none' if it throws nothing. */
export function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'none';
}
