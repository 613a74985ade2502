// The layers of policies that apply somewhere, the most specific first.

import type { Section, Setting } from './settings.ts';
import type { Layer, PolicyIndex } from './targets.ts';

const NONE: readonly never[] = [];

/** Of a rule and its route. */
export function routeLayers(index: PolicyIndex, route: string, rule: string): readonly Layer[] {
  return layersAt(index, `HTTPRoute ${route}`, rule);
}

/** Of a port, by its name, and its Service. */
export function serviceLayers(index: PolicyIndex, service: string, port: string): readonly Layer[] {
  return layersAt(index, `Service ${service}`, port);
}

/** One layer: at one level the oldest policy wins, whichever of the Gateways it is attached to. */
export function gatewayLayers(index: PolicyIndex, gateways: readonly string[]): readonly Layer[] {
  const layers = gateways.flatMap((key) => layersAt(index, `Gateway ${key}`, ''));
  if (layers.length <= 1) return layers;
  const join = (of: 'enforced' | 'shadow'): readonly Setting[] =>
    layers.flatMap((layer) => layer[of]).sort((a, b) => a.createdAt - b.createdAt || (a.from < b.from ? -1 : 1));
  return [{ level: 'Gateway', target: layers[0]!.target, enforced: join('enforced'), shadow: join('shadow') }];
}

export function isTarget(index: PolicyIndex, target: string): boolean {
  return (index.targets.get(target)?.layers.size ?? 0) > 0;
}

export function saysAny(layers: readonly Layer[], sections: ReadonlySet<Section>): boolean {
  return layers.some(({ enforced, shadow }) => speaks(enforced, sections) || speaks(shadow, sections));
}

export function shadowsAny(layers: readonly Layer[], sections: ReadonlySet<Section>): boolean {
  return layers.some(({ shadow }) => speaks(shadow, sections));
}

function speaks(settings: readonly Setting[], sections: ReadonlySet<Section>): boolean {
  return settings.some(({ section }) => sections.has(section));
}

function layersAt(index: PolicyIndex, target: string, section: string): readonly Layer[] {
  const layers = index.targets.get(target)?.layers;
  if (layers === undefined || layers.size === 0) return NONE;
  const part = section === '' ? undefined : layers.get(section);
  const whole = layers.get('');
  return [...(part === undefined ? NONE : [part]), ...(whole === undefined ? NONE : [whole])];
}
