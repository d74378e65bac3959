import { describe, expect, it } from 'vitest';
import { covers } from './scope';
import { character, grown, hasTerm, quoted, setTerm, term, toggleTerm, tokens, unit, valueOf } from './filter';

describe('quoted', () => {
  it.each([
    ['Nginx', 'Nginx'],
    ['1.2.3', '1.2.3'],
    ['two words', '"two words"'],
    ['a"b', '"a\\"b"'],
    ['5*', '"5\\*"'],
    ['c:\\x', '"c:\\\\x"'],
    ['', '""'],
    ['>5', '">5"'],
  ])('%s', (value, want) => expect(quoted(value)).toBe(want));
});

it('keeps what is quoted or in parentheses together', () => {
  expect(tokens('a title:"sign in"  (b OR c) -x:1')).toEqual(['a', 'title:"sign in"', '(b OR c)', '-x:1']);
});

describe('terms', () => {
  const t = term('title', 'sign in');
  it('come and go', () => {
    const with1 = toggleTerm('port:80', t);
    expect(with1).toBe('port:80 title:"sign in"');
    expect(hasTerm(with1, t)).toBe(true);
    expect(toggleTerm(with1, t)).toBe('port:80');
  });
  it('replace one another', () => {
    expect(setTerm('a state:failed b', 'state', 'lost')).toBe('a b state:lost');
    expect(setTerm('a state:failed', 'state', '')).toBe('a');
    expect(valueOf('a state:failed', 'state')).toBe('failed');
    expect(valueOf('state:failed state:lost', 'state')).toBe('');
    expect(valueOf('key:"Two words"', 'key')).toBe('Two words');
  });
});

it('counts characters, not units', () => {
  expect(unit('a😀b', 2)).toBe(3);
  expect(character('a😀b', 3)).toBe(2);
});

describe('covers', () => {
  it.each([
    [['*'], 'manage:users:create', true],
    [['resources:*:read'], 'resources:hosts:read', true],
    [['resources:*:read'], 'resources:hosts:update', false],
    [['data:*'], 'data:findings:read', true],
    [['data'], 'data:findings:read', false],
    [[], 'data:findings:read', false],
    [['resources:hosts:read'], 'resources:hosts', false],
  ])('%j covers %s: %s', (granted, want, yes) => expect(covers(granted, want)).toBe(yes));
});

describe('grown', () => {
  it('counts what was typed since to the word', () => {
    expect(grown({ from: 0, to: 0 }, '', 'stat')).toEqual({ from: 0, to: 4 });
    expect(grown({ from: 2, to: 4 }, 'a st', 'a stat')).toEqual({ from: 2, to: 6 });
    expect(grown({ from: 1, to: 2 }, '\u{1f600}s b', '\u{1f600}s\u{1f600}t b')).toEqual({ from: 1, to: 4 });
    expect(grown({ from: 0, to: 2 }, 'st', 'st')).toEqual({ from: 0, to: 2 });
  });
  it('has nothing to say when the word is another', () => {
    expect(grown({ from: 0, to: 2 }, 'st', 's')).toBeUndefined();
    expect(grown({ from: 0, to: 2 }, 'st', 'port')).toBeUndefined();
    expect(grown({ from: 0, to: 2 }, 'st', 'st x')).toBeUndefined();
  });
});
