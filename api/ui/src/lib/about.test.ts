import { expect, it } from 'vitest';
import { about } from './about';
import { domainKey, hostKey, portKey, resourceId } from './key';

it('findings are about resources, each once, by list', () => {
  const p = 'f'.repeat(24);
  const keys = [hostKey(p, '::1'), domainKey(p, 'a.test'), hostKey(p, '::1'), portKey(p, '::1', 53, 'udp'), `project:${p}`];
  expect(about(keys)).toEqual([
    { path: '/hosts', rows: [{ id: resourceId(hostKey(p, '::1')), projectId: p, label: '::1' }] },
    { path: '/domains', rows: [{ id: resourceId(domainKey(p, 'a.test')), projectId: p, label: 'a.test' }] },
    { path: '/ports', rows: [{ id: resourceId(portKey(p, '::1', 53, 'udp')), projectId: p, label: '[::1]:53/udp' }] },
  ]);
});
