// Text from outside, such as the name or a line of a file, in the messages and outputs of a program.

/**
 * Characters that show nothing of themselves: control characters, which a terminal obeys; format characters, such as
 * those that turn the direction of the text around; and line and paragraph separators.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * `text` with an escape, such as `\u001b`, for each character that a terminal or a page would obey instead of showing
 * it. JSON that is escaped like this means the same. O(length).
 */
export function printable(text: string): string {
  return text.replace(UNSEEN, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}
