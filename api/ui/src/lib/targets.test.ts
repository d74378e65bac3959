import { describe, expect, it } from 'vitest';
import { countTargets, readTargets } from './targets';

describe('readTargets', () => {
  it('sorts what was pasted', () => {
    const t = readTargets('Example.com, www.example.com.\n192.0.2.1 2001:db8::1\n# a comment\n10.0.0.0/8;2001:db8::/32 # trailing');
    expect(t.domains).toEqual(['example.com', 'www.example.com']);
    expect(t.ips).toEqual(['192.0.2.1', '2001:db8::1']);
    expect(t.ranges).toEqual(['10.0.0.0/8', '2001:db8::/32']);
    expect(t.unknown).toEqual([]);
    expect(countTargets(t)).toBe(6);
  });

  it('takes a URL as its host', () => {
    const t = readTargets('https://user@shop.example.com:8443/a?b\nhttp://[::1]:80/\nhttp://192.0.2.7/x');
    expect(t.domains).toEqual(['shop.example.com']);
    expect(t.ips).toEqual(['::1', '192.0.2.7']);
  });

  it('keeps one of what is named twice', () => {
    expect(readTargets('a.example\nA.example\na.example.').domains).toEqual(['a.example']);
  });

  it('says where it did not understand', () => {
    expect(readTargets('ok.example\nlocalhost\n1.2.3.400\n<script>').unknown).toEqual([
      { line: 2, text: 'localhost' },
      { line: 3, text: '1.2.3.400' },
      { line: 4, text: '<script>' },
    ]);
  });

  it('knows names that are not ASCII, and service labels', () => {
    expect(readTargets('bücher.example _dmarc.example.com xn--bcher-kva.example').domains).toHaveLength(3);
  });
});
