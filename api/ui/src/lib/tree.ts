// A site map as a tree.

export interface Node {
  name: string;
  /** the whole path */
  path: string;
  /** the path itself was seen, not only what is below it */
  seen: boolean;
  children: Node[];
}

/** treeOf puts paths into one another, in order. */
export function treeOf(paths: string[]): Node {
  const root: Node = { name: '/', path: '/', seen: paths.includes('/'), children: [] };
  for (const path of [...new Set(paths)].sort()) {
    let at = root;
    const parts = path.replace(/^\//, '').split(/(?<=\/)/).filter((p) => p !== '');
    for (const name of parts) {
      const full = at.path + name;
      let next = at.children.find((n) => n.name === name);
      if (!next) at.children.push((next = { name, path: full, seen: false, children: [] }));
      at = next;
    }
    at.seen = true;
  }
  return root;
}

/** sift leaves what holds a text, and what leads there. */
export function sift(node: Node, text: string): Node | undefined {
  const children = node.children.map((c) => sift(c, text)).filter((c) => c !== undefined);
  if (children.length === 0 && !node.path.toLowerCase().includes(text.toLowerCase())) return undefined;
  return { ...node, children };
}
