// Why a job ran or did not, and what a draft would have done.
import { useMutation, useQuery } from '@tanstack/react-query';
import { get, post } from './client';
import type { Execution, Finding, Schemas } from './types';

export type Explanation = Schemas['Explanation'];
export type Backtest = Schemas['Backtest'];

export const useExplanations = (finding: string, enabled: boolean) =>
  useQuery({
    queryKey: ['explain', finding],
    queryFn: ({ signal }) => get<{ subscriptions: Explanation[] }>(`/findings/${finding}/explanation`, {}, signal).then((e) => e.subscriptions),
    enabled,
    retry: false,
  });

export type WhyStep = { execution: Execution; finding?: Finding; explanation?: Explanation };

/** useExecutionExplanation is the chain that led to an execution, its beginning first. */
export const useExecutionExplanation = (id: string) =>
  useQuery({
    queryKey: ['why', id],
    queryFn: ({ signal }) => get<{ chain: WhyStep[] }>(`/executions/${id}/explanation`, {}, signal).then((e) => e.chain),
    staleTime: 60_000,
    retry: false,
  });

export const useBacktest = () =>
  useMutation({
    mutationFn: (input: { document: string; projectId?: string }) => post<Backtest>('/subscriptions/backtest', input),
  });
