/** Everything that is no sign: controls, which steer a terminal, and what turns the direction of writing or ends a line. */
const UNSEEN = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** The same but for the ends of lines. */
const UNSEEN_IN_LINES = /(?!\n)[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** A name out of a file, as one line of signs: a newline in it would be a line of ours, and an escape a command to the terminal. */
export function visible(text: string): string {
  return text.replaceAll(UNSEEN, escaped);
}

/** Lines of text, or JSON, which stays the same JSON. */
export function visibleLines(text: string): string {
  return text.replaceAll(UNSEEN_IN_LINES, escaped);
}

/** A line of text, and its end. */
export function line(text: string): string {
  return `${visible(text)}\n`;
}

function escaped(sign: string): string {
  return sign === "\n" ? "\\n" : `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
