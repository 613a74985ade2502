// Merges what policies of several levels say, field by field, into the plan of one section.

import type { Origin, Policies } from '../../policies/traffic.ts';
import type { Level } from './attach.ts';
import { decodeSettings, type PlanOf } from './decode.ts';
import { fieldOf, type Section, type Setting } from './settings.ts';
import type { Layer } from './targets.ts';

/** `Shadow`: as if the policies in mode Shadow were enforced, at their level before those that are. */
export type Mode = Origin['mode'];

/** A setting that holds. */
export interface Held {
  readonly setting: Setting;
  readonly level: Level;
  readonly target: string;
  readonly mode: Mode;
}

/** A setting that was right by itself and contradicts what other levels say. */
export interface Refusal extends Held {
  readonly problem: string;
}

/** What became of one section; a plan of null: nobody says anything, or nothing that can be had. */
export interface Merged<S extends Section> {
  readonly plan: PlanOf<S> | null;
  readonly held: readonly Held[];
  readonly refused: readonly Refusal[];
}

export interface MergedPolicy<T> {
  readonly policy: Policies<T>;
  readonly origins: readonly Origin[];
  readonly refused: readonly Refusal[];
}

/** A whole policy, merged in one mode. */
export interface Draft<T> {
  readonly policy: T;
  readonly parts: readonly Merged<Section>[];
}

const NONE: readonly never[] = [];
const NOTHING: Merged<never> = { plan: null, held: NONE, refused: NONE };

/** `layers`: the most specific first. */
export function mergeSection<S extends Section>(section: S, layers: readonly Layer[], mode: Mode): Merged<S> {
  const held = pick(section, layers, mode);
  if (held.length === 0) return NOTHING;
  const { plan } = decodeHeld(section, held);
  return plan === null ? mergeWhatFits(section, held) : { plan, held, refused: NONE };
}

/** Of the shadow's origins only those that are not enforced anyway. */
export function assemble<T>(enforced: Draft<T>, shadow: Draft<T> | null): MergedPolicy<T> {
  const isShadow = ({ mode }: Held): boolean => mode === 'Shadow';
  const parts = [
    ...enforced.parts,
    ...(shadow?.parts ?? NONE).map(({ held, refused }) => ({
      held: held.filter(isShadow),
      refused: refused.filter(isShadow),
    })),
  ];
  return {
    policy: { enforced: enforced.policy, shadow: shadow?.policy ?? null },
    origins: parts.flatMap(({ held }) => held.map(originOf)),
    refused: parts.flatMap(({ refused }) => refused),
  };
}

function originOf({ setting, level, mode }: Held): Origin {
  return { field: fieldOf(setting), from: setting.from, level, mode, value: written(setting.value) };
}

/** As one writes it in YAML, on one line. */
function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${written(field)}`);
  return `{${fields.join(', ')}}`;
}

/** The most specific setting of each slot; from the most general level to the most specific. */
function pick(section: Section, layers: readonly Layer[], mode: Mode): readonly Held[] {
  const taken = new Set<string>();
  const take = (settings: readonly Setting[], at: Omit<Held, 'setting'>): readonly Held[] => {
    return settings.flatMap((setting) => {
      if (setting.section !== section || taken.has(setting.slot)) return NONE;
      taken.add(setting.slot);
      return { setting, ...at };
    });
  };
  const groups = layers.flatMap(({ level, target, enforced, shadow }) => [
    mode === 'Shadow' ? take(shadow, { level, target, mode: 'Shadow' }) : NONE,
    take(enforced, { level, target, mode: 'Enforce' }),
  ]);
  return groups.reverse().flat();
}

function decodeHeld<S extends Section>(section: S, held: readonly Held[]): ReturnType<typeof decodeSettings<S>> {
  return decodeSettings(
    section,
    held.map(({ setting }) => setting),
  );
}

/**
 * Each policy is right by itself, but not all of them together: what the more general levels say stays, of the others
 * what goes with it.
 */
function mergeWhatFits<S extends Section>(section: S, all: readonly Held[]): Merged<S> {
  let fitting: readonly Held[] = NONE;
  let plan: PlanOf<S> | null = null;
  const refused: Refusal[] = [];
  const add = (more: readonly Held[]): string | null => {
    const together = [...fitting, ...more];
    const decoded = decodeHeld(section, together);
    if (decoded.plan === null) return decoded.problem;
    fitting = together;
    plan = decoded.plan;
    return null;
  };
  for (const policy of Map.groupBy(all, ({ setting, level }) => `${level} ${setting.from}`).values()) {
    if (add(policy) === null) continue;
    for (const held of policy) {
      const problem = add([held]);
      if (problem !== null) refused.push({ ...held, problem });
    }
  }
  return { plan, held: fitting, refused };
}
