// Every key set that this worker knows, and the tokens that were verified with them.

import type { JwtRulePlan } from '../../policies/authentication.ts';
import { parseJwks } from '../../policies/jwks.ts';
import type { KeysNews } from '../messages.ts';
import { KeySet } from './key-set.ts';
import { TokenCache } from './token-cache.ts';

export class KeyStore {
  readonly cache: TokenCache = new TokenCache();
  /** Wall clock, ms since the epoch: what tokens speak of. */
  readonly now: () => number;
  readonly #want: (uri: string) => void;
  readonly #remote: Map<string, KeySet> = new Map();
  readonly #inline: Map<string, WeakRef<KeySet>> = new Map();

  /** `want` asks the main thread to look for newer keys; it answers by news, whatever it finds. */
  constructor(want: (uri: string) => void, now: () => number = Date.now) {
    this.#want = want;
    this.now = now;
  }

  /** What the main thread says of keys. */
  take(news: readonly KeysNews[]): void {
    for (const { uri, keys, followed } of news) {
      this.#set(uri).update(keys);
      if (!followed) this.#remote.delete(uri);
    }
  }

  setOf(keys: JwtRulePlan['keys']): KeySet {
    return 'uri' in keys ? this.#set(keys.uri) : this.#inlineSet(keys.inline);
  }

  /** Asks for newer keys than these; false: there is nobody to ask. */
  ask(set: KeySet): boolean {
    if (set.uri === null) return false;
    if (!set.asked) {
      set.asked = true;
      this.#want(set.uri);
    }
    return true;
  }

  #set(uri: string): KeySet {
    let set = this.#remote.get(uri);
    if (set === undefined) {
      set = new KeySet(uri);
      this.#remote.set(uri, set);
    }
    return set;
  }

  /** Shared by the rules that carry the same text, and gone with the last of them. */
  #inlineSet(text: string): KeySet {
    const known = this.#inline.get(text)?.deref();
    if (known !== undefined) return known;
    for (const [other, set] of this.#inline) if (set.deref() === undefined) this.#inline.delete(other);
    const set = new KeySet(null);
    const keys = parseJwks(text);
    set.update(typeof keys === 'string' ? null : keys);
    this.#inline.set(text, new WeakRef(set));
    return set;
  }
}
