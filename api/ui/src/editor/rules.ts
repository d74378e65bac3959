// What can stand where in a subscription's document (matchers/rule/RULES.md). The
// server decides what is right; this only saves typing.
import type { Completion, CompletionContext, CompletionResult, CompletionSource } from '@codemirror/autocomplete';

const keys: Record<string, string> = {
  name: 'what people call it',
  triggerType: 'event, cron or reconcile',
  findings: 'the finding keys it reacts to',
  cooldown: 'seconds before it may fire again for the same resource',
  discriminator: 'cooldowns are kept per value of this',
  job: 'what it asks for',
  conditions: 'all must hold',
  cronExpression: 'five fields, six with seconds in front',
  timeZone: 'an IANA name, UTC unless given',
  input: 'once for each resource',
  filter: 'only for what a list with this filter shows',
  batch: 'many resources in one job',
  missed: 'once or skip',
  overlap: 'true: may start while jobs of its last tick still run',
  expect: 'what each resource should have',
  parameters: 'values for the job',
  value: 'a parameter’s value',
  lhs: 'the left side, such as ${port}',
  operator: 'how the sides are compared',
  rhs: 'the right side, a value or a list',
  and: 'all of these must hold',
  or: 'one of these must hold',
};

const operators = ['equals', 'in', 'exists', 'contains', 'startsWith', 'endsWith', 'matches', 'inCidr', 'subdomainOf', 'between', 'gt', 'gte', 'lt', 'lte']
  .flatMap((o) => [o, `not_${o}`, `or_${o}`, ...(/exists|inCidr|subdomainOf|between|^[gl]te?$/.test(o) ? [] : [`${o}_i`])]);
const inputs = ['ALL_DOMAINS', 'ALL_HOSTS', 'ALL_TCP_PORTS', 'ALL_UDP_PORTS', 'ALL_IP_RANGES', 'ALL_WEBSITES'];
const variables = ['ip', 'domainName', 'port', 'protocol', 'mask', 'path', 'ssl', 'tag', 'type', 'key', 'name', 'projectId', 'correlationKey', 'domainBatch', 'ipBatch', 'portBatch'];

interface Known {
  findings: string[];
  jobs: { name: string; parameters: string[] }[];
}

/** completer proposes keys, operators, variables, kinds of findings, and jobs with their parameters. */
export function completer(known: () => Known): CompletionSource {
  return (context) => complete(context, known());
}

/** where is the kind of place the cursor is at, told from its line and those above. */
export function where(before: string, above: string[]): 'variable' | 'operator' | 'findings' | 'input' | 'trigger' | 'missed' | 'job' | 'parameter' | 'key' | '' {
  if (/\$\{[\w.]*$/.test(before)) return 'variable';
  if (/\boperator:\s*\w*$/.test(before)) return 'operator';
  if (/^\s*findings:.*$/.test(before) || (/^\s*-\s*\w*$/.test(before) && lastKey(above) === 'findings')) return 'findings';
  if (/\binput:\s*\w*$/.test(before)) return 'input';
  if (/\btriggerType:\s*\w*$/.test(before)) return 'trigger';
  if (/\bmissed:\s*\w*$/.test(before)) return 'missed';
  if (/\bjob:\s*\{\s*name:\s*[\w-]*$/.test(before) || (/^\s+name:\s*[\w-]*$/.test(before) && lastKey(above) === 'job')) return 'job';
  if (/-\s*(\{\s*)?name:\s*\w*$/.test(before)) return 'parameter';
  return /^[\s{-]*\w*$/.test(before) ? 'key' : '';
}

const lastKey = (above: string[]) => above.map((l) => /^\s*(\w+):\s*$/.exec(l)?.[1]).filter(Boolean).at(-1);

function complete(context: CompletionContext, known: Known): CompletionResult | null {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const text = context.state.doc.toString();
  const above = text.slice(0, line.from).split('\n').slice(0, -1);
  const word = /[\w-]*$/.exec(before)?.[0] ?? '';
  const place = where(before, above);
  if (!place || (!context.explicit && word === '' && place !== 'variable')) return null;
  const job = known.jobs.find((j) => new RegExp(`\\bname:\\s*${j.name}\\b`).test(text));
  const options: Record<typeof place, Completion[]> = {
    variable: plain(variables, 'variable'),
    operator: plain(operators, 'function'),
    findings: plain(known.findings, 'type'),
    input: plain(inputs, 'enum'),
    trigger: plain(['event', 'cron', 'reconcile'], 'enum'),
    missed: plain(['once', 'skip'], 'enum'),
    job: plain(known.jobs.map((j) => j.name), 'class'),
    parameter: plain(job?.parameters ?? [], 'property'),
    key: Object.entries(keys).map(([label, detail]) => ({ label, detail, type: 'keyword', apply: `${label}: ` })),
  };
  return { from: context.pos - word.length, options: options[place], validFor: /^[\w-]*$/ };
}

const plain = (labels: string[], type: string): Completion[] => labels.map((label) => ({ label, type }));
