// Text from outside as one safe piece of a log line: nothing that a peer sends can end the line, or speak to a terminal.

/** As a JSON string with its quotes; everything but printable ASCII is escaped. */
export function jsonString(text: string): string {
  return /[^\x20-\x7e]|["\\]/.test(text) ? `"${text.replace(/[^\x20-\x7e]|["\\]/g, escaped)}"` : `"${text}"`;
}

/** As it is when it is one plain word, else like a JSON string; '' becomes `-`. */
export function plainWord(text: string): string {
  if (text === '') return '-';
  return /[^\x21-\x7e]|["\\]/.test(text) ? jsonString(text) : text;
}

/** A sentence: only what is not printable ASCII is escaped. */
export function plainText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, escaped);
}

/** A sentence of ours that may name files and people: any script, no control characters. */
export function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, escaped);
}

function escaped(char: string): string {
  if (char === '"' || char === '\\') return `\\${char}`;
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
