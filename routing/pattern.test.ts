import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compilePattern, PatternError } from './pattern.ts';

describe('compilePattern', () => {
  const matching: readonly (readonly [source: string, value: string, expected: boolean])[] = [
    ['/api/[0-9]+', '/api/12', true],
    ['/api/[0-9]+', '/api/12/x', false],
    ['/api/[0-9]+', '/v1/api/12', false],
    ['api', '/api/', false],
    ['^/api$', '/api', true],
    ['^/api(/.*)?', '/api/x', true],
    ['/a|/b', '/b', true],
    ['(?i)/API', '/api', true],
    ['/a\\.b\\-c', '/a.b-c', true],
    ['/a\\d', '/a7', true],
    ['/ab*', '/a', true],
    ['/ab{0}', '/a', true],
    ['/a?b', '/b', true],
    ['\\Qa.b\\E', 'a.b', true],
    ['\\x41', 'A', true],
    ['\\pL+', 'abc', true],
    ['', '', true],
    ['', 'x', false],
    ['[a-c]{2,3}', 'abca', false],
    ['é+', 'éé', true],
    ['😀*', '', true],
  ];
  for (const [source, value, expected] of matching) {
    it(`${source} against ${value}: ${expected}`, () => assert.equal(compilePattern(source).test(value), expected));
  }

  const refused: readonly (readonly [name: string, source: string, message: RegExp])[] = [
    ['an open group', '(a', /invalid/],
    ['look-ahead', '(?=a)', /invalid/],
    ['a back-reference', '(a)\\1', /invalid/],
    ['a source too long', 'a'.repeat(1025), /1025 characters/],
    ['a repeat bomb', '((a{100}){100}){100}', /too complex/],
    ['many repeats in a row', 'a{999}'.repeat(100), /too complex/],
    ['a long group repeated', `(${'x'.repeat(500)}){900}`, /too complex/],
    ['a program too large', '(ab?){100}', /too complex/],
    ['a class repeated', '[a-z]{999}', /too complex/],
    ['a class of Unicode repeated', '[\\pL\\pN]{90}', /360 steps/],
  ];
  for (const [name, source, message] of refused) {
    it(`refuses ${name}, at once`, () => {
      const started = performance.now();
      assert.throws(
        () => compilePattern(source),
        (error) => error instanceof PatternError && message.test(error.message),
      );
      assert.ok(performance.now() - started < 1000);
    });
  }

  const accepted: readonly string[] = [
    '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
    '\\p{Greek}{2}',
    '[]{9}]',
    '/v{1}/x{',
    '/(en|de|fr)(-[A-Z]{2})?/.*',
  ];
  for (const source of accepted) it(`accepts ${source}`, () => assert.equal(compilePattern(source).source, source));

  it('gives the same pattern for the same source', () => {
    assert.equal(compilePattern('/same/.*'), compilePattern('/same/.*'));
  });

  it('forgets the patterns unused for longest', () => {
    const kept = compilePattern('/kept');
    const lost = compilePattern('/lost');
    for (let at = 0; at < 1023; at += 1) {
      compilePattern(`/filler-${at}`);
      compilePattern('/kept');
    }
    assert.equal(compilePattern('/kept'), kept);
    assert.notEqual(compilePattern('/lost'), lost);
  });

  it('reads hostile values in linear time', () => {
    const sources = ['(a+)+$', '(a|a)*b', '(.*)*x', '(a|b)*a(a|b){90}', '(?:.*a){90}', '(?:a?){60}a{60}'];
    let seed = 1;
    const draw = (): string => {
      seed = (seed * 48271) % 2147483647;
      return seed % 2 === 0 ? 'a' : 'b';
    };
    const random = Array.from({ length: 8192 }, draw).join('');
    for (const source of sources) {
      const pattern = compilePattern(source);
      const started = performance.now();
      for (const value of ['a'.repeat(8192), `${'a'.repeat(8191)}!`, random]) pattern.test(value);
      // Backtracking would take ages; the bound only has to tell the two apart on a busy machine.
      assert.ok(performance.now() - started < 3000, source);
    }
  });

  it('agrees with the built-in engine on what both can say', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      '/',
      '.',
      '\\.',
      '\\/',
      '[ab]',
      '(a|b)',
      'a?',
      'b*',
      '/+',
      'a{2}',
      '(ab){1,2}',
      '|',
      '^',
      '$',
    );
    const text = fc.array(fc.constantFrom('a', 'b', '/', '.'), { maxLength: 8 }).map((chars) => chars.join(''));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), text, (pieces, value) => {
        const source = pieces.join('');
        assert.equal(compilePattern(source).test(value), new RegExp(`^(?:${source})$`).test(value), source);
      }),
      { numRuns: 2000 },
    );
  });
});
