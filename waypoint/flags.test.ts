import assert from 'node:assert/strict';
import { choice, count, duration, parseSocketAddress } from './flag-values.ts';
import { describeFlags, type Flag, parseFlags } from './flags.ts';

const LIST: Flag<readonly string[]> = {
  arg: 'x',
  short: '-H',
  help: 'a list',
  expects: 'anything',
  initial: [],
  shown: '',
  parse: (text) => [text],
  join: (first, next) => [...first, ...next],
};
const TABLE = {
  list: LIST,
  maxCount: count(1, 10, { help: 'how many', initial: 3 }),
  format: choice(['json', 'text'], { help: 'how', initial: 'json' }),
};

type Env = Readonly<Record<string, string>>;

describe('parseFlags', () => {
  const cases: readonly (readonly [name: string, argv: string[], env: Env, values: object, positionals: string[]])[] = [
    ['nothing: the defaults', [], {}, {}, []],
    ['a value behind the flag', ['--max-count', '5'], {}, { maxCount: 5 }, []],
    ['a value in the flag', ['--max-count=5'], {}, { maxCount: 5 }, []],
    ['a repeated flag', ['--list', 'a', '--list=b', '-H', 'c'], {}, { list: ['a', 'b', 'c'] }, []],
    ['the environment', [], { WAYPOINT_MAX_COUNT: '7' }, { maxCount: 7 }, []],
    ['a list in the environment', [], { WAYPOINT_LIST: 'a, b' }, { list: ['a', 'b'] }, []],
    ['the flag wins over the environment', ['--max-count', '5'], { WAYPOINT_MAX_COUNT: '7' }, { maxCount: 5 }, []],
    ['an empty variable says nothing', [], { WAYPOINT_FORMAT: '' }, {}, []],
    ['arguments among flags', ['a', '--max-count', '5', 'b', '-'], {}, { maxCount: 5 }, ['a', 'b', '-']],
    ['arguments behind --', ['--', '--max-count'], {}, {}, ['--max-count']],
    ['a value that begins with a dash', ['--list=-a', '-H', '-b'], {}, { list: ['-a', '-b'] }, []],
  ];
  for (const [name, argv, env, values, positionals] of cases) {
    it(name, () => {
      const parsed = parseFlags(TABLE, argv, env);
      assert.deepEqual(parsed.errors, []);
      assert.deepEqual(parsed.values, { list: [], maxCount: 3, format: 'json', ...values });
      assert.deepEqual(parsed.positionals, positionals);
    });
  }

  it('reports every mistake at once', () => {
    const argv = ['--max-cuont', '5', '--format=xml', '--max-count', '11', '--max-count=4', '--list'];
    assert.deepEqual(parseFlags(TABLE, argv, { WAYPOINT_FORMAT: 'json' }).errors, [
      'unknown flag --max-cuont (did you mean --max-count?)',
      "--format must be one of json, text, not 'xml'",
      "--max-count must be a whole number from 1 to 10, not '11'",
      '--max-count was given twice',
      '--list needs a value: x',
    ]);
  });

  it('reports a mistake in the environment by the name of the variable', () => {
    const { errors } = parseFlags(TABLE, [], { WAYPOINT_MAX_COUNT: 'many' });
    assert.deepEqual(errors, ["WAYPOINT_MAX_COUNT must be a whole number from 1 to 10, not 'many'"]);
  });

  it('suggests nothing for what is like nothing', () => {
    assert.deepEqual(parseFlags(TABLE, ['--zzz'], {}).errors, ['unknown flag --zzz']);
  });
});

describe('describeFlags', () => {
  it('has a line for each flag, with its default', () => {
    assert.equal(
      describeFlags(TABLE),
      [
        '  -H, --list x                      a list',
        '  --max-count n                     how many (default 3)',
        '  --format json|text                how (default json)',
        '',
      ].join('\n'),
    );
  });
});

describe('duration', () => {
  const flag = duration(1, { help: '', initial: 1 });
  const cases: readonly (readonly [text: string, expected: number | undefined])[] = [
    ['5s', 5000],
    ['250ms', 250],
    ['1m30s', 90_000],
    ['24h', 86_400_000],
    ['24h1ms', undefined],
    ['0s', undefined],
    ['5', undefined],
    ['1.5s', undefined],
    ['-1s', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of cases)
    it(`${text === '' ? 'nothing' : text}`, () => assert.equal(flag.parse(text), expected));
});

describe('parseSocketAddress', () => {
  const cases: readonly (readonly [text: string, expected: { host: string; port: number } | undefined])[] = [
    ['127.0.0.1:15000', { host: '127.0.0.1', port: 15_000 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    [':9000', { host: '::', port: 9000 }],
    ['127.0.0.1', undefined],
    ['a:65536', undefined],
    ['[127.0.0.1]:80', undefined],
    ['a b:80', undefined],
  ];
  for (const [text, expected] of cases) it(text, () => assert.deepEqual(parseSocketAddress(text), expected));
});
