// The shapes the API speaks, by the names the pages use. They follow from the
// OpenAPI document (schema.d.ts); nothing is described twice.
import type { components } from './schema';

export type Schemas = components['schemas'];

export type Domain = Schemas['Domain'];
export type Host = Schemas['Host'];
export type IPRange = Schemas['IpRange'];
export type Port = Schemas['Port'];
export type Website = Schemas['Website'];
export type Certificate = Schemas['Certificate'];
export type Finding = Schemas['Finding'];
export type Field = Schemas['Field'];
export type Execution = Schemas['Execution'];
export type Argument = Schemas['Argument'];
export type LogLine = Schemas['LogLine'];
/** executions holds every state, 0 included */
export type Counts = Omit<Schemas['Counts'], 'executions'> & { executions: Record<State, number> };
export type Project = Schemas['Project'];
export type ProjectInput = Schemas['ProjectInput'];
export type User = Schemas['User'];
export type Me = Schemas['Me'];
export type Change = Schemas['Change'];
export type Added = Schemas['Added'];
export type Problem = Schemas['Problem'];
export type InputError = Schemas['InputError'];
export type Job = Schemas['Job'];
export type PodSize = Schemas['PodSize'];
export type Parameter = Schemas['Parameter'];
export type Subscription = Schemas['Subscription'];
export type State = Execution['state'];
export type Level = LogLine['level'];

export interface Page<T> {
  items: T[];
  total: number;
  next?: string;
}

/** what every resource has */
export type Seen = Pick<Domain, 'id' | 'projectId' | 'correlationKey' | 'firstSeen' | 'lastSeen' | 'tags'>;
