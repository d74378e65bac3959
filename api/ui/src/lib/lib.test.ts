import { describe, expect, it } from 'vitest';
import { between } from '~/components/table';
import { findingTitle, picture, summary } from './finding';
import { inside } from './inside';
import { lines } from './lines';
import { notAllowed, specialNetworks } from './special';
import { ago, daysUntil, duration } from './time';

const now = Date.parse('2026-01-02T12:00:00Z');

describe('time', () => {
  it.each([
    ['2026-01-02T11:59:55Z', 'just now'],
    ['2026-01-02T11:59:15Z', '45s ago'],
    ['2026-01-02T11:57:00Z', '3m ago'],
    ['2026-01-02T02:00:00Z', '10h ago'],
    ['2026-01-01T11:00:00Z', 'yesterday'],
  ])('%s is %s', (at, said) => expect(ago(at, now)).toBe(said));

  it.each([
    [840, '840 ms'],
    [4200, '4.2 s'],
    [185_000, '3 min 05 s'],
    [7_800_000, '2 h 10 min'],
    [-5, '–'],
  ])('%d ms take %s', (ms, said) => expect(duration('2026-01-02T12:00:00Z', now + ms)).toBe(said));

  it('counts whole days', () => {
    expect(daysUntil('2026-01-05T11:00:00Z', now)).toBe(2);
    expect(daysUntil('2026-01-02T11:00:00Z', now)).toBe(-1);
  });
});

describe('inside', () => {
  it.each([
    ['/hosts?q=a', '/hosts?q=a'],
    ['//evil.example', '/'],
    ['https://evil.example', '/'],
    ['/\\evil.example', '/'],
    [null, '/'],
  ])('%s leads to %s', (next, to) => expect(inside(next)).toBe(to));
});

describe('findings', () => {
  const image = (data: string) => ({ key: 'shot', type: 'image' as const, data });

  it('shows only pictures', () => {
    expect(picture(image('data:image/png;base64,AAAA'))).toBe('data:image/png;base64,AAAA');
    expect(picture(image('data:image/svg+xml;base64,AAAA'))).toBe('');
    expect(picture(image('data:text/html;base64,AAAA'))).toBe('');
    expect(picture(image('javascript:alert(1)'))).toBe('');
  });

  it('are called by their name, or by their key in words', () => {
    expect(findingTitle({ key: 'PortServiceFinding' })).toBe('Port Service');
    expect(findingTitle({ key: 'PortServiceFinding', name: 'Found port service' })).toBe('Found port service');
  });

  it('fit into a line', () => {
    const fields = [{ key: 'a', label: 'A', type: 'text' as const, data: 1 }, { key: 'b', type: 'text' as const, data: '' }, image('x')];
    expect(summary({ tag: 'Login', fields } as never)).toBe('Login · A: 1');
  });
});

describe('special networks', () => {
  it('are those a person should open', () => {
    expect(specialNetworks(['10.1.2.3', '172.31.0.1', '172.32.0.1', '8.8.8.8', 'fd00::1', '::1', '2001:db8::1'])).toEqual([
      '10.0.0.0/8', '172.16.0.0/12', 'fc00::/7', '::1/128',
    ]);
  });

  it('are open when the project lists a network around them', () => {
    expect(notAllowed(['127.0.0.0/8', '10.0.0.0/8', '::1/128'], ['127.0.0.0/8', '10.0.0.0/16', '::/0'])).toEqual(['10.0.0.0/8', '::1/128']);
    expect(notAllowed(['192.168.0.0/16'], ['192.0.0.0/8'])).toEqual([]);
  });
});

it('lines leaves out what is empty', () => expect(lines(' a \n\nb, c')).toEqual(['a', 'b', 'c']));

it('between follows the order on screen, in both directions', () => {
  expect(between(['a', 'b', 'c', 'd'], 'b', 'd')).toEqual(['b', 'c', 'd']);
  expect(between(['a', 'b', 'c', 'd'], 'c', 'a')).toEqual(['a', 'b', 'c']);
  expect(between(['a', 'b'], 'gone', 'b')).toEqual(['b']);
});
