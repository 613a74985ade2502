// A body in chunks, as tests send it.

/** `text` (Latin-1) in chunks of `size` bytes, the last chunk and the trailers (each ending in CRLF) included. */
export function chunked(text: string, size: number = Math.max(1, text.length), trailers: string = ''): string {
  let out = '';
  for (let at = 0; at < text.length; at += size) {
    const part = text.slice(at, at + size);
    out += `${part.length.toString(16)}\r\n${part}\r\n`;
  }
  return `${out}0\r\n${trailers}\r\n`;
}
