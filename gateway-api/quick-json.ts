// JSON as kubectl and programs write it: JSON.parse, with duplicate keys refused.
import { GIVEN_UP } from './quick-yaml.ts';

/** The value, or GIVEN_UP where the text is not strict JSON: the YAML parser then says where and why. */
export function readJsonQuickly(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return hasDuplicateKeys(text) ? GIVEN_UP : value;
  } catch {
    return GIVEN_UP;
  }
}

const token = /"((?:[^"\\]|\\.)*)"(\s*:)?|[{}[\]]/g;

/** Walks over the keys of text that is known to be JSON. */
function hasDuplicateKeys(text: string): boolean {
  const open: (Set<string> | null)[] = [];
  for (const [all, string, colon] of text.matchAll(token)) {
    if (all === '{') open.push(new Set());
    else if (all === '[') open.push(null);
    else if (all === '}' || all === ']') open.pop();
    else if (colon !== undefined && string !== undefined) {
      const keys = open.at(-1);
      // Escapes may spell the same key in two ways.
      const key = string.includes('\\') ? (JSON.parse(`"${string}"`) as string) : string;
      if (keys?.has(key)) return true;
      keys?.add(key);
    }
  }
  return false;
}
