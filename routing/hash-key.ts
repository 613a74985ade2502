// Text to 32 bits, the same in every process and on every machine: replicas must agree on it without talking.

/** FNV-1a over the characters, then mixed; in [1, 2^32), since 0 means that there is no key. */
export function hashKey(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mix(hash) || 1;
}

/** Every bit of the input moves every bit of the output alike (the finalizer of MurmurHash3); in [0, 2^32). */
export function mix(bits: number): number {
  let hash = bits;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
