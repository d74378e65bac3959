import { describe, expect, it } from 'vitest';
import { where } from './rules';

describe('where', () => {
  it.each([
    ['con', [], 'key'],
    ['  - lhs', [], 'key'],
    ['  - lhs: ${po', [], 'variable'],
    ['    value: "${finding.', [], 'variable'],
    ['  - {lhs: "${port}", operator: not_', [], 'operator'],
    ['findings: [Port', [], 'findings'],
    ['  - Port', ['findings:'], 'findings'],
    ['job: {name: Htt', [], 'job'],
    ['  name: Htt', ['job:'], 'job'],
    ['    - name: tar', ['job:', '  name: HttpProbingJob', '  parameters:'], 'parameter'],
    ['input: ALL', [], 'input'],
    ['triggerType: ', [], 'trigger'],
    ['name: some text', [], ''],
  ] as [string, string[], string][])('%s', (before, above, want) => expect(where(before, above)).toBe(want));
});
