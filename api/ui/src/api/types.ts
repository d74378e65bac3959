// The shapes the API speaks, as api/v1 writes them.

export type State =
  | 'queued'
  | 'starting'
  | 'running'
  | 'succeeded'
  | 'failed'
  | 'stopped'
  | 'timed_out'
  | 'lost';

export interface Page<T> {
  items: T[];
  total: number;
  next?: string;
}

export interface Seen {
  id: string;
  projectId: string;
  correlationKey: string;
  firstSeen: string;
  lastSeen: string;
  tags: string[];
}

export interface Domain extends Seen {
  name: string;
  hosts: string[];
}

export interface Host extends Seen {
  ip: string;
  os?: string;
  domains: string[];
  ports: number;
}

export interface IPRange extends Seen {
  cidr: string;
}

export interface Port extends Seen {
  ip: string;
  port: number;
  protocol: 'tcp' | 'udp';
  service?: string;
  product?: string;
  version?: string;
}

export interface Certificate {
  subject: string;
  issuer: string;
  names: string[];
  notBefore: string;
  notAfter: string;
  fingerprint: string;
}

export interface Website extends Seen {
  url: string;
  ip: string;
  port: number;
  domain: string;
  path: string;
  ssl?: boolean;
  status?: number;
  title?: string;
  server?: string;
  technologies: string[];
  certificate?: Certificate;
}

export interface Field {
  key: string;
  label?: string;
  type: 'text' | 'image';
  data?: string | number | boolean;
}

export interface Finding {
  id: string;
  projectId: string;
  correlationKey: string;
  at: string;
  source: 'job' | 'user' | 'import' | 'derived';
  executionId?: string;
  job?: string;
  userId?: string;
  depth: number;
  type: string;
  key: string;
  name?: string;
  tag?: string;
  domainName?: string;
  ip?: string;
  port?: number;
  protocol?: 'tcp' | 'udp';
  path?: string;
  mask?: number;
  fields: Field[];
}

export interface Argument {
  name: string;
  value: unknown;
}

export interface Cause {
  subscriptionId?: string;
  subscriptionName?: string;
  findingId?: string;
  parentId?: string;
  userId?: string;
  rootId: string;
  depth: number;
}

export interface Parameter {
  name: string;
  type: string;
  default?: unknown;
  summary?: string;
}

export interface Job {
  id: string;
  name: string;
  summary?: string;
  type: string;
  language?: string;
  code: string;
  category?: string;
  parameters?: Parameter[];
  builtIn?: boolean;
  version: number;
  updatedAt: string;
}

export interface Subscription {
  id: string;
  name: string;
  projectId?: string;
  enabled: boolean;
  builtIn?: boolean;
  document: string;
  version: number;
  updatedAt: string;
}

export interface Execution {
  id: string;
  projectId: string;
  job: string;
  state: State;
  reason?: string;
  detail?: string;
  exitCode?: number;
  attempt: number;
  runner?: string;
  arguments: Argument[];
  cause: Cause;
  target?: string;
  queuedAt: string;
  startedAt?: string;
  endedAt?: string;
  findings: number;
  errors: number;
  warnings: number;
}

export type Level = 'debug' | 'info' | 'warning' | 'error';

export interface LogLine {
  executionId: string;
  attempt: number;
  stream: 'sdk' | 'stdout' | 'stderr' | 'engine';
  seq: number;
  level: Level;
  text: string;
  at: string;
}

export interface Counts {
  domains: number;
  hosts: number;
  ipRanges: number;
  ports: number;
  websites: number;
  findings: number;
  executions: Record<State, number>;
}

export interface Project {
  id: string;
  name: string;
  notes?: string;
  resolvers?: string[];
  internal?: string[];
  version: number;
}

export interface ProjectInput {
  name?: string;
  notes?: string;
  resolvers?: string[];
  internal?: string[];
  version?: number;
}

export interface User {
  id: string;
  email: string;
  name: string;
}

export interface Added {
  added: string[];
  visible: boolean;
}

export interface Problem {
  title: string;
  status: number;
  detail?: string;
  code: string;
}
