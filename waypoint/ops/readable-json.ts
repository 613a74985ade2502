// Any of our data as JSON for people: Maps are objects, Sets are lists.

export function readableJson(value: unknown): string {
  return `${JSON.stringify(value, (_key, part: unknown) => plain(part), 2)}\n`;
}

function plain(part: unknown): unknown {
  if (part instanceof Map) return Object.fromEntries(part);
  if (part instanceof Set) return [...part];
  return part;
}
