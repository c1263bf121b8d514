// What the drawings share: colours, shades, shadows and flames.

export const INK = '#2b3a44';
export const DARK = '#3a2c22';
export const brass = { light: '#efc76a', mid: '#d9a441', dark: '#a87424' };

/** A lighter (above 0) or darker (below 0) shade of a colour. */
export const shade = (colour, by) => {
  const part = (at) => parseInt(colour.slice(at, at + 2), 16);
  const to = by < 0 ? 0 : 255;
  const mixed = [1, 3, 5].map((at) => Math.round(part(at) + (to - part(at)) * Math.abs(by)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
};

/** The pieces for the numbers from `from` up to `to`. */
export const lines = (from, to, piece) => [...Array(to - from).keys()].map((i) => piece(i + from)).join('');

/** The shadow that a thing throws on the ground. */
export const ground = (x, y, width) => `<ellipse cx="${x}" cy="${y}" rx="${width}" ry="${Math.max(12, width / 9)}" fill="#000" opacity=".1"/>`;

/** What is seen of a drawing inside an outline. */
export const clip = (id, outline, body) => `<clipPath id="${id}">${outline}</clipPath><g clip-path="url(#${id})">${body}</g>`;

export const flame = (x, y, size) => `<g transform="translate(${x} ${y}) scale(${size})"><path d="M0 -74 C34 -30 34 6 0 8 C-34 6 -34 -30 0 -74Z" fill="#f6a531"/><path d="M0 -40 C17 -14 16 4 0 5 C-16 4 -17 -14 0 -40Z" fill="#fde08a"/></g>`;

/** A picture on a coloured ground. */
export const picture = (ground, body, size = 600) => `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 600 600"><rect width="600" height="600" fill="${ground}"/><circle cx="300" cy="300" r="262" fill="#ffffff" opacity=".5"/>${body}</svg>`;
