/** lines are the words of a text with one entry per line. */
export const lines = (text: string) => text.split(/[\n,]+/).map((s) => s.trim()).filter(Boolean);
