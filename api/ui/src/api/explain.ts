// Why a job ran or did not, and what a draft would have done.
import { useMutation, useQuery } from '@tanstack/react-query';
import { get, post } from './client';
import type { Schemas } from './types';

export type Explanation = Schemas['Explanation'];
export type Backtest = Schemas['Backtest'];

export const useExplanations = (finding: string, enabled: boolean) =>
  useQuery({
    queryKey: ['explain', finding],
    queryFn: ({ signal }) => get<{ subscriptions: Explanation[] }>(`/findings/${finding}/explanation`, {}, signal).then((e) => e.subscriptions),
    enabled,
    retry: false,
  });

export const useBacktest = () =>
  useMutation({
    mutationFn: (input: { document: string; projectId?: string }) => post<Backtest>('/subscriptions/backtest', input),
  });
