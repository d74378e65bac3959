// Documents to begin with.
import type { Parameter } from '~/api/types';

export interface Wish {
  trigger: 'event' | 'cron' | 'reconcile';
  name: string;
  finding: string;
  job: string;
  parameters: Pick<Parameter, 'name' | 'type'>[];
}

/** what a parameter of a customary name is filled with */
const values: Record<string, string> = {
  targetIp: '${ip}', ip: '${ip}', domainName: '${domainName}', domainNames: '["${domainName}"]', port: '${port}', ports: '["${port}"]', protocol: '${protocol}',
  path: '${path}', ssl: '${ssl}', targetMask: '${mask}', mask: '${mask}',
};

/** skeleton is a subscription that already says what is known, to be finished by hand. */
export function skeleton({ trigger, name, finding, job, parameters }: Wish): string {
  const lines = [`name: ${name ? text(name) : `${finding.replace(/Finding$/, '') || 'Something'} to ${job || 'a job'}`}`, `triggerType: ${trigger}`];
  if (trigger === 'event') lines.push(`findings: [${finding || 'PortFinding'}]`, 'cooldown: 86400');
  if (trigger === 'cron') lines.push('cronExpression: "0 3 * * *"', 'input: ALL_DOMAINS');
  if (trigger === 'reconcile') lines.push('input: ALL_WEBSITES', 'expect:', `  finding: ${finding || 'WebsiteResponseFinding'}`, '  maxAge: 604800');
  lines.push('job:', `  name: ${job || 'NameOfTheJob'}`);
  const filled = parameters.filter((p) => values[p.name]);
  if (filled.length > 0) lines.push('  parameters:', ...filled.flatMap((p) => [`    - name: ${p.name}`, `      value: ${values[p.name]}`]));
  return `${lines.join('\n')}\n`;
}

const text = (s: string) => (/^[\p{L}\p{N}][\p{L}\p{N} _.-]*$/u.test(s) ? s : JSON.stringify(s));

export const pythonSkeleton = `"""Says what this job does."""

from stalker_sdk import log_info, params


def main() -> None:
    name = params.string("domainName", "")
    log_info(f"hello, {name}")


main()
`;

/** filled says that a parameter of this name is taken from the resource when nobody gives it. */
export const filled = (parameter: string) => parameter in values;
