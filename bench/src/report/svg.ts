/**
 * SVG by hand: the plots need rectangles, lines, circles and text, and must have the same bytes on every machine. A
 * drawing library would bring some forty packages for that.
 */

/** Legible on white and told apart by people who see colours otherwise (Okabe and Ito 2008). */
export const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9'] as const;
export const INK = '#222222';
export const FAINT = '#DDDDDD';
export const MUTED = '#666666';

export type Attributes = Readonly<Record<string, string | number>>;

export function element(name: string, attributes: Attributes, content = ''): string {
  const written = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? coordinate(value) : escaped(value)}"`)
    .join('');
  return content === '' ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`;
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element('text', { x, y, fill: INK, ...attributes }, escaped(content));
}

/** A whole drawing on white: the page around it may be dark. `title` is what a screen reader says. */
export function drawing(width: number, height: number, title: string, parts: readonly string[]): string {
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
    'font-family': 'Helvetica, Arial, sans-serif',
    'font-size': 12,
  };
  const ground = element('rect', { width, height, fill: '#FFFFFF' });
  const lines = [`<title>${escaped(title)}</title>`, ground, ...parts];
  return `${element('svg', attributes, `\n${lines.join('\n')}\n`)}\n`;
}

/** Hundredths of a pixel: more would show how a processor rounds, not where something stands. */
export function coordinate(value: number): string {
  return String(Number(value.toFixed(2)));
}

function escaped(content: string): string {
  return content.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
