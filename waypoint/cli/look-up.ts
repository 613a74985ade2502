// Names outside for the commands that read resources and serve nothing: asked for once.

import type { Resources } from '../../gateway-api/resources.ts';
import { type Environment, type Translation, translate } from '../../gateway-api/translate.ts';
import { systemLookup } from '../system-lookup.ts';

/** Whatever DNS does not know has no address. */
export async function translateWithNames(resources: Resources, environment: Environment): Promise<Translation> {
  const first = translate(resources, environment, null);
  const names = [...new Set(first.state.outsideNames.values())];
  if (names.length === 0) return first;
  const addresses = new Map(await Promise.all(names.map(async (name) => [name, await addressesOf(name)] as const)));
  return translate(resources, { ...environment, addresses }, null);
}

async function addressesOf(name: string): Promise<readonly string[]> {
  try {
    const { addresses } = await systemLookup(name);
    return addresses;
  } catch {
    return [];
  }
}
