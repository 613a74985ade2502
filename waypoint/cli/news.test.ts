import assert from 'node:assert/strict';
import type { ObjectStatus } from '../../gateway-api/conditions.ts';
import type { Finding } from '../../gateway-api/store.ts';
import { createLog } from '../ops/log.ts';
import { ConfigurationNews } from './news.ts';

function finding(message: string, object = ''): Finding {
  return { severity: 'error', code: 'syntax', file: 'a.yaml', line: 3, column: 1, object, path: '', message };
}

function gateway(value: 'True' | 'False', message: string): ObjectStatus {
  const condition = { type: 'Programmed', status: value, reason: 'Tested', message, observedGeneration: 1 };
  return { kind: 'Gateway', key: 'shop/shop', conditions: [condition], addresses: [], listeners: [] };
}

function listening(): { readonly news: ConfigurationNews; readonly lines: string[] } {
  const lines: string[] = [];
  // The time that starts each line is no news.
  return { news: new ConfigurationNews(createLog('info', (text) => lines.push(text.trim().slice(25)))), lines };
}

describe('news of the configuration', () => {
  it('tells a finding once, and again when it comes back', () => {
    const { news, lines } = listening();
    news.tellFindings([finding('bad'), finding('worse', 'HTTPRoute shop/a')]);
    news.tellFindings([finding('bad')]);
    news.tellFindings([finding('bad'), finding('worse', 'HTTPRoute shop/a')]);
    const worse = 'error a.yaml:3:1: HTTPRoute shop/a: worse';
    assert.deepEqual(lines, ['error a.yaml:3:1: bad', worse, worse]);
  });

  it('tells conditions that are bad news when they change, and no good ones', () => {
    const { news, lines } = listening();
    const bad = gateway('False', 'port taken');
    news.tellStatuses(new Map([['g', gateway('True', 'fine')]]));
    news.tellStatuses(new Map([['g', bad]]));
    news.tellStatuses(new Map([['g', bad]]));
    news.tellStatuses(new Map([['g', gateway('False', 'port taken')]]));
    news.tellStatuses(new Map([['g', gateway('True', 'fine')]]));
    assert.deepEqual(lines, ['warn  Gateway shop/shop: Programmed=False Tested: port taken']);
  });
});
