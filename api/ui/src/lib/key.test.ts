import { describe, expect, it } from 'vitest';
import { parseKey, pathOf, resourceId } from './key';

const p = 'project:0123456789abcdef01234567';

describe('parseKey', () => {
  it.each([
    [p, 'project', '0123456789abcdef01234567'],
    [`${p};domain:example.com`, 'domain', 'example.com'],
    [`${p};host:192.0.2.1`, 'host', '192.0.2.1'],
    [`${p};host:2001:db8::1`, 'host', '2001:db8::1'],
    [`${p};host:192.0.2.0;mask:24`, 'ip_range', '192.0.2.0/24'],
    [`${p};host:2001:db8::;mask:64`, 'ip_range', '2001:db8::/64'],
    [`${p};host:192.0.2.1;port:53;protocol:udp`, 'port', '192.0.2.1:53/udp'],
    [`${p};host:2001:db8::1;port:443;protocol:tcp`, 'port', '[2001:db8::1]:443/tcp'],
    [`${p};host:192.0.2.1;port:443;protocol:tcp;domain:example.com;path:/`, 'website', 'example.com:443'],
    [`${p};host:2001:db8::1;port:80;protocol:tcp;domain:;path:/a;b`, 'website', '[2001:db8::1]:80/a;b'],
  ])('%s', (key, kind, label) => {
    expect(parseKey(key)).toEqual({ kind, label, projectId: '0123456789abcdef01234567' });
  });

  it('shows what it does not understand as it is', () => {
    expect(parseKey('project:1;planet:mars').label).toBe('project:1;planet:mars');
  });
});

describe('resourceId', () => {
  // made by pipeline.ResourceID
  it.each([
    [`${p};domain:example.com`, '8f4c1b5c153043f10df8f5b6'],
    [`${p};host:2001:db8::1;port:443;protocol:tcp;domain:bücher.example;path:/`, 'c8c5008a5343dd11783389a7'],
  ])('%s', (key, id) => expect(resourceId(key)).toBe(id));

  it('leads to the page of the resource', () => {
    expect(pathOf(`${p};domain:example.com`)).toBe('/domains/8f4c1b5c153043f10df8f5b6');
    expect(pathOf(p)).toBe('/projects/0123456789abcdef01234567');
  });
});
