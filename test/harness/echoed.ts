// What the echo backend says it received, read back from its answer.

/** What the echo backend says it received. */
export interface Echoed {
  readonly backend: number;
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly bodyBytes: number;
  readonly bodyHash: string;
}

export function echoed(answer: { readonly body: string }): Echoed {
  return JSON.parse(answer.body) as Echoed;
}

/** Values of a field that the backend received, joined by ',', undefined when absent. */
export function sentField(answer: { readonly body: string }, name: string): string | undefined {
  const values = echoed(answer).fields.filter(([n]) => n.toLowerCase() === name);
  return values.length === 0 ? undefined : values.map(([, value]) => value).join(',');
}
