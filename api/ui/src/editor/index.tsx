import { Suspense } from 'react';
import { later } from '~/app/later';
import { Loading } from '~/components/States';
import type { EditorProps } from './Editor';

export type { Mark } from './Editor';

const Editor = later(() => import('./Editor'));

/** CodeEditor fetches the editor and shows it. */
export function CodeEditor(props: EditorProps) {
  return <Suspense fallback={<Loading />}><Editor {...props} /></Suspense>;
}
