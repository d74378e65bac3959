declare module 'subset-font' {
  export default function subset(
    font: Buffer,
    characters: string,
    options: { targetFormat: 'woff2'; variationAxes?: Record<string, { min: number; max: number; default: number }> },
  ): Promise<Buffer>;
}
