import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError } from '~/api/client';
import { keys } from '~/api/keys';

/** makeClient caches answers; an answer that says nobody is logged in makes the shell ask who is. */
export function makeClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: signedOut }),
    mutationCache: new MutationCache({ onError: signedOut }),
    defaultOptions: {
      queries: {
        staleTime: 5000,
        refetchOnWindowFocus: false,
        retry: (n, err) => n < 2 && !(err instanceof ApiError && err.status >= 400 && err.status < 500),
      },
    },
  });
  function signedOut(err: Error) {
    if (err instanceof ApiError && err.status === 401 && client.getQueryData(keys.me)) {
      void client.resetQueries({ queryKey: keys.me });
    }
  }
  return client;
}
