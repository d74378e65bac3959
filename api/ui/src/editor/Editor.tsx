import { autocompletion, closeBrackets, type CompletionSource } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { python } from '@codemirror/lang-python';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, foldGutter, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Annotation, EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';

/** what is wrong at a line and a column, both from 1; line 0 means the whole */
export interface Mark {
  line: number;
  column: number;
  message: string;
}

export interface EditorProps {
  value: string;
  onChange?: (text: string) => void;
  language: 'yaml' | 'python' | 'text';
  label: string;
  marks?: Mark[];
  complete?: CompletionSource;
  onSave?: () => void;
  minHeight?: string;
}

// marks a change as coming from the page, which knows it already
const given = Annotation.define<boolean>();

const languages = { yaml, python, text: () => [] };

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.definitionKeyword], color: 'light-dark(#8250a8, #c79bf2)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'light-dark(#1a6b45, #7fcf9f)' },
  { tag: [tags.comment], color: 'var(--faint)', fontStyle: 'italic' },
  { tag: [tags.number, tags.bool, tags.null], color: 'light-dark(#9a4a00, #e8a45c)' },
  { tag: [tags.definition(tags.propertyName), tags.propertyName, tags.function(tags.variableName)], color: 'light-dark(#0b5cad, #7db8ff)' },
]);

const look = EditorView.theme({
  '&': { fontSize: '0.8125rem', backgroundColor: 'var(--surface)', color: 'inherit' },
  '&.cm-focused': { outline: '2px solid var(--mantine-primary-color-filled)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '20px', maxHeight: '70vh' },
  '.cm-content': { caretColor: 'currentColor' },
  '.cm-cursor': { borderLeftColor: 'currentColor' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--faint)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--hover)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'light-dark(#c9e6e2, #24504a)' },
  '.cm-tooltip, .cm-panels': { backgroundColor: 'var(--surface)', color: 'inherit', border: '1px solid var(--line)' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--active)', color: 'inherit' },
  '.cm-completionDetail': { color: 'var(--faint)', fontStyle: 'normal' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--bad)' },
});

/** Editor is where documents and code are written. It is large, and fetched when it is needed. */
export default function Editor(p: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef(p);
  latest.current = p;
  const { value, language, label, marks } = p;
  const readOnly = !p.onChange;
  useEffect(() => {
    if (!host.current) return;
    const { complete, minHeight } = latest.current;
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          lineNumbers(), foldGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(), highlightActiveLine(),
          highlightSelectionMatches(), search({ top: true }), lintGutter(), languages[language](), syntaxHighlighting(colours), look,
          autocompletion({ override: complete ? [complete] : undefined, activateOnTyping: true }),
          indentUnit.of(language === 'python' ? '    ' : '  '), EditorState.tabSize.of(4), EditorView.lineWrapping,
          // what cannot be changed can still be reached, scrolled and copied with the keyboard
          EditorView.contentAttributes.of({ 'aria-label': label, 'aria-readonly': String(readOnly), tabindex: '0' }), EditorState.readOnly.of(readOnly),
          EditorView.theme({ '.cm-content, .cm-gutter': { minHeight: minHeight ?? '220px' } }),
          keymap.of([
            { key: 'Mod-s', preventDefault: true, run: () => (latest.current.onSave?.(), true) },
            // Escape, then Tab leaves the editor, so that nobody is caught in it
            ...defaultKeymap, ...historyKeymap, ...searchKeymap, indentWithTab,
          ]),
          EditorView.updateListener.of((u) => {
            if (u.docChanged && !u.transactions.some((x) => x.annotation(given))) latest.current.onChange?.(u.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    // what was measured before the font came is wrong
    void document.fonts.ready.then(() => editor.requestMeasure());
    return () => editor.destroy();
  }, [language, label, readOnly]);
  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== value) {
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value }, annotations: given.of(true) });
    }
  }, [value, language, label, readOnly]);
  useEffect(() => {
    const editor = view.current;
    if (editor) editor.dispatch(setDiagnostics(editor.state, (marks ?? []).map((m) => diagnostic(editor.state, m))));
  }, [marks, language, label, readOnly]);
  return <div ref={host} />;
}

/** diagnostic marks from where something is wrong to the end of the word. */
function diagnostic(state: EditorState, { line, column, message }: Mark): Diagnostic {
  const at = state.doc.line(Math.min(Math.max(line, 1), state.doc.lines));
  const from = Math.min(at.from + [...at.text].slice(0, Math.max(column - 1, 0)).join('').length, at.to);
  const word = /^[^\s,\]}:]+/.exec(at.text.slice(from - at.from))?.[0].length ?? 0;
  return { from, to: Math.min(from + word, at.to), severity: 'error', message };
}
