import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { useState } from 'react';
import { RouterProvider } from 'react-router';
import { makeClient } from './query';
import { makeRouter } from './routes';
import { theme } from './theme';
import { Toasts } from './Toasts';

export function App() {
  const [client] = useState(makeClient);
  const [router] = useState(() => makeRouter());
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <Toasts />
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
