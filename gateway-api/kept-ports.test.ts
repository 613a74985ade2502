import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeptPorts } from './kept-ports.ts';
import { NO_PORTS, type PortAllocation } from './service-ports.ts';

describe('kept ports of Services', () => {
  let folder = '';
  const told: string[] = [];
  const kept = (directory: string = folder): KeptPorts => new KeptPorts(directory, (message) => told.push(message));

  function loaded(directory: string): PortAllocation {
    const file = kept(directory);
    file.load();
    return file.current;
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ports-'));
    told.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are nothing at first', () => {
    assert.deepEqual(loaded(join(folder, 'new')), NO_PORTS);
    assert.deepEqual(told, []);
  });

  it('are read again as they were', () => {
    const ports = { assigned: new Map([['shop/orders:80', 20_001]]), released: new Map([[20_002, 'shop/old:80']]) };
    kept(join(folder, 'new')).keep(ports);
    assert.deepEqual(loaded(join(folder, 'new')), ports);
    assert.deepEqual(readdirSync(join(folder, 'new')), ['service-ports.json']);
    assert.deepEqual(told, []);
  });

  it('are not written again when they are the same', () => {
    const file = kept();
    file.keep({ assigned: new Map([['shop/orders:80', 20_001]]), released: new Map() });
    file.load();
    writeFileSync(join(folder, 'service-ports.json'), 'mine');
    file.keep(file.current);
    assert.equal(readFileSync(join(folder, 'service-ports.json'), 'utf8'), 'mine');
  });

  const broken: [name: string, text: string, complaint: RegExp][] = [
    ['cut off', '{"assigned": {', /cannot read the ports of Services/],
    ['something else', '[]', /is not what was written there/],
  ];
  for (const [name, text, complaint] of broken) {
    it(`are allocated anew over a file that is ${name}`, () => {
      writeFileSync(join(folder, 'service-ports.json'), text);
      assert.deepEqual(loaded(folder), NO_PORTS);
      assert.match(told.join(), complaint);
    });
  }

  it('are not kept where that is impossible, which is told', () => {
    writeFileSync(join(folder, 'file'), '');
    kept(join(folder, 'file')).keep({ assigned: new Map(), released: new Map() });
    assert.match(told.join(), /cannot keep the ports of Services in .*service-ports\.json: E/);
  });
});
