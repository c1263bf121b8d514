// Drawings of the kitchen and the bakery.

import { INK, clip, ground, lines, shade } from './kit.mjs';

const LOAF = '#c98646';
const CANE = '#d9b27c';
const STEEL = '#c3ccd2';

/** A proofing basket from above; with a linen liner, it is oval. */
export const basket = (oval, size = 1) => {
  const [rx, ry] = oval ? [206, 140] : [196 * size, 196 * size];
  const rings = lines(0, 7, (i) => `<ellipse cx="300" cy="300" rx="${rx * (1 - i * 0.13)}" ry="${ry * (1 - i * 0.13)}" fill="${i % 2 ? shade(CANE, -0.1) : CANE}" stroke="${shade(CANE, -0.35)}" stroke-width="6"/>`);
  const liner = oval ? `<ellipse cx="300" cy="300" rx="${rx - 14}" ry="${ry - 12}" fill="#f6efe0"/><ellipse cx="300" cy="300" rx="${rx - 54}" ry="${ry - 46}" fill="#eadfc8"/>${lines(0, 18, (i) => `<path d="M${300 + (rx - 54) * Math.cos(i * 0.349)} ${300 + (ry - 46) * Math.sin(i * 0.349)}L${300 + (rx - 16) * Math.cos(i * 0.349)} ${300 + (ry - 14) * Math.sin(i * 0.349)}" stroke="#dccfb3" stroke-width="5"/>`)}` : '';
  return `<ellipse cx="300" cy="312" rx="${rx + 10}" ry="${ry + 10}" fill="#000" opacity=".1"/>${rings}${liner}${oval ? '' : `<ellipse cx="300" cy="300" rx="${rx * 0.12}" ry="${ry * 0.12}" fill="#f6efe0"/><ellipse cx="300" cy="300" rx="${rx * 0.6}" ry="${ry * 0.6}" fill="#fff" opacity=".25"/>`}`;
};

export const couche = () => {
  const baguette = (y) => `<rect x="92" y="${y}" width="416" height="72" rx="36" fill="${shade(LOAF, 0.3)}"/><rect x="108" y="${y + 10}" width="384" height="20" rx="10" fill="#fff" opacity=".35"/>${lines(0, 5, (i) => `<path d="M${140 + i * 72} ${y + 52}l40 -34" stroke="${shade(LOAF, -0.1)}" stroke-width="10" stroke-linecap="round"/>`)}`;
  const fold = (y) => `<path d="M56 ${y}h488v46H56z" fill="#f1e7d1"/><path d="M56 ${y + 34}h488v12H56z" fill="#dccdaa"/>`;
  return `<rect x="66" y="124" width="488" height="376" rx="8" fill="#000" opacity=".08"/><rect x="56" y="112" width="488" height="376" rx="8" fill="#e6dac0"/><path d="M80 112v376M520 112v376" stroke="#c05a3f" stroke-width="7"/>${[112, 228, 344, 442].map(fold).join('')}${[157, 273, 385].map(baguette).join('')}`;
};

export const jar = (fill, level, top) => `${ground(300, 524, 130)}<path d="M190 190h220q16 20 16 50v240q0 40 -40 40H214q-40 0 -40 -40V240q0 -30 16 -50z" fill="#e9f1f2"/>
  ${clip('j', '<path d="M190 190h220q16 20 16 50v240q0 40 -40 40H214q-40 0 -40 -40V240q0 -30 16 -50z"/>', `<rect x="170" y="${level}" width="260" height="360" fill="${fill}"/><ellipse cx="300" cy="${level}" rx="130" ry="14" fill="${shade(fill, 0.3)}"/>
  ${top === 'cloth' ? [[230, 330], [330, 370], [262, 430], [372, 450], [318, 310], [222, 480]].map(([x, y], i) => `<circle cx="${x}" cy="${y + 30}" r="${10 + (i % 3) * 5}" fill="${shade(fill, -0.1)}"/>`).join('') : ''}`)}
  <path d="M204 220v260" stroke="#fff" stroke-width="16" stroke-linecap="round" opacity=".8"/>
  ${top === 'cloth' ? `<path d="M166 180 Q300 90 434 180 L448 232 Q300 204 152 232Z" fill="#e9c9bb"/><path d="M168 196 Q300 166 432 196" fill="none" stroke="#4f83b4" stroke-width="12"/><rect x="172" y="${level + 40}" width="256" height="20" fill="#4f83b4"/>` : `<rect x="180" y="132" width="240" height="64" rx="12" fill="#b98a57"/><path d="M180 152h240" stroke="#a07444" stroke-width="8"/><path d="M232 330h136v110h-136z" fill="#fbf5e4"/><path d="M300 350l34 20v40l-34 20 -34 -20v-40z" fill="${fill}"/>`}`;

export const tin = (length) => `${ground(300, 470, 220)}<path d="M${300 - length} 250h${2 * length - 60}l60 -60H${300 - length + 60}z" fill="#dfe5e8"/><path d="M${300 - length} 250h${2 * length - 60}v190q0 16 -16 16H${300 - length + 16}q-16 0 -16 -16z" fill="${STEEL}"/><path d="M${300 + length - 60} 250l60 -60v180l-60 80z" fill="#97a4ac"/>
  <path d="M${300 - length - 26} 246h${2 * length - 40}l60 -60H${300 - length + 34}z" fill="#eef2f4" stroke="#97a4ac" stroke-width="5"/><path d="M${300 - length} 276h${2 * length - 60}" stroke="#a9b5bc" stroke-width="7"/><path d="M${300 - length + 26} 300v120" stroke="#e6ecef" stroke-width="14" stroke-linecap="round"/>`;

export const oven = () => `${ground(300, 480, 220)}<path d="M110 350 C110 190 210 150 300 150 C390 150 490 190 490 350Z" fill="#3b4347"/><path d="M110 350 C110 190 210 150 300 150 C220 170 166 230 160 350Z" fill="#566066"/><path d="M262 152v-30q0 -16 38 -16t38 16v30z" fill="#2b3134"/>
  <rect x="84" y="346" width="432" height="34" rx="12" fill="#2b3134"/><path d="M110 380h380q-6 84 -60 90H170q-54 -6 -60 -90z" fill="#3b4347"/><path d="M84 352q-40 0 -40 26t56 18M516 352q40 0 40 26t-56 18" fill="none" stroke="#2b3134" stroke-width="16"/>`;

export const stone = () => `${ground(300, 462, 240)}<path d="M140 300h320l90 120H50z" fill="#d8c7ac"/><path d="M50 420h500v36q0 10 -12 10H62q-12 0 -12 -10z" fill="#b5a184"/><ellipse cx="300" cy="352" rx="168" ry="62" fill="${LOAF}"/><ellipse cx="300" cy="344" rx="168" ry="60" fill="#e3b06b"/><ellipse cx="300" cy="344" rx="134" ry="44" fill="#d9573b"/>
  ${[[230, 336], [290, 366], [360, 342], [310, 322], [262, 356]].map(([x, y]) => `<ellipse cx="${x}" cy="${y}" rx="26" ry="11" fill="#fbf3df"/>`).join('')}${[[258, 330], [336, 358], [330, 336]].map(([x, y]) => `<ellipse cx="${x}" cy="${y}" rx="12" ry="6" fill="#5c8a3e"/>`).join('')}`;

export const moulds = () => {
  const one = (x, y, s) => `<g transform="translate(${x} ${y}) scale(${s})"><path d="M-92 0 L-54 108 H54 L92 0Z" fill="${STEEL}"/>${lines(-3, 4, (i) => `<path d="M${i * 27} 4 L${i * 16} 106" stroke="#97a4ac" stroke-width="7"/>`)}<ellipse rx="94" ry="22" fill="#e4eaed"/><ellipse rx="80" ry="16" fill="#97a4ac"/></g>`;
  return `${ground(300, 486, 210)}${one(190, 220, 1.05)}${one(410, 220, 1.05)}<g transform="translate(300 352)"><path d="M-92 0 L-54 118 H54 L92 0Z" transform="scale(1.1)" fill="${STEEL}"/>${lines(-3, 4, (i) => `<path d="M${i * 30} 4 L${i * 18} 128" stroke="#97a4ac" stroke-width="8"/>`)}<path d="M-104 2 Q-110 -60 -30 -66 Q-20 -110 20 -104 Q50 -96 44 -62 Q112 -54 104 2Z" fill="${LOAF}"/><path d="M-70 -30q30 -26 60 -24" fill="none" stroke="${shade(LOAF, 0.4)}" stroke-width="10" stroke-linecap="round"/></g>`;
};

export const lame = () => `${ground(300, 500, 200)}<g transform="rotate(-38 300 310)"><path d="M40 286 Q44 262 84 264 L318 280 V340 L84 356 Q44 358 40 334Z" fill="#6b4327"/><path d="M40 286 Q44 262 84 264 L318 280 V304 L42 306Z" fill="#8a5c3b"/><rect x="314" y="298" width="90" height="24" fill="#8b98a0"/>
  <rect x="380" y="236" width="170" height="148" rx="12" fill="#dfe6ea" stroke="#97a4ac" stroke-width="5"/><path d="M380 252q85 -22 170 0M380 368q85 22 170 0" fill="none" stroke="#b7c2c9" stroke-width="6"/><path d="M404 298h122v24H404z" fill="#8b98a0"/><circle cx="430" cy="310" r="15" fill="#8b98a0"/><circle cx="500" cy="310" r="15" fill="#8b98a0"/></g>`;

export const scraper = () => `${ground(300, 496, 190)}<path d="M120 210h360v256q0 12 -12 12H132q-12 0 -12 -12z" fill="${STEEL}"/><path d="M120 210h120v268h-108q-12 0 -12 -12z" fill="#dfe6ea"/><rect x="100" y="132" width="400" height="96" rx="46" fill="#c9985d"/><path d="M146 132h308q46 0 46 46H100q0 -46 46 -46z" fill="#dbb27d"/><circle cx="190" cy="182" r="12" fill="#97a4ac"/><circle cx="410" cy="182" r="12" fill="#97a4ac"/>`;

export const whisk = () => `${ground(320, 520, 150)}<g transform="rotate(32 300 300)"><path d="M272 300h56l8 230q0 24 -36 24t-36 -24z" fill="#c9985d"/><path d="M272 300h22l-6 248q-24 -4 -24 -20z" fill="#dbb27d"/><path d="M300 310V236" stroke="#97a4ac" stroke-width="14"/>
  <ellipse cx="300" cy="150" rx="104" ry="112" fill="none" stroke="#8b98a0" stroke-width="13"/><ellipse cx="300" cy="166" rx="66" ry="76" fill="none" stroke="#a9b5bc" stroke-width="13"/><ellipse cx="300" cy="184" rx="32" ry="42" fill="none" stroke="#8b98a0" stroke-width="13"/></g>`;

export const pin = () => `${ground(300, 470, 200)}<g transform="rotate(-32 300 310)"><path d="M40 310 Q44 286 80 284 Q300 250 520 284 Q556 286 560 310 Q556 334 520 336 Q300 370 80 336 Q44 334 40 310Z" fill="#d3a56c"/><path d="M40 310 Q44 286 80 284 Q300 250 520 284 Q556 286 560 310 Q300 286 40 310Z" fill="#e6c493"/><path d="M150 322q120 18 260 4M200 302q100 -8 160 0" fill="none" stroke="#b98a4f" stroke-width="4"/></g>`;

const SEGMENTS = { 0: 'abcdef', 2: 'abged', 5: 'afgcd' };
const digit = (x, y, which) => [...SEGMENTS[which]].map((segment) => {
  const [sx, sy, w, h] = { a: [4, 0, 28, 6], b: [30, 4, 6, 28], c: [30, 38, 6, 28], d: [4, 64, 28, 6], e: [0, 38, 6, 28], f: [0, 4, 6, 28], g: [4, 32, 28, 6] }[segment];
  return `<rect x="${x + sx}" y="${y + sy}" width="${w}" height="${h}" rx="3" fill="#21404f"/>`;
}).join('');
export const scale = () => `${ground(300, 480, 200)}<rect x="110" y="150" width="380" height="320" rx="34" fill="#39454d"/><rect x="110" y="150" width="380" height="300" rx="34" fill="#4b5a64"/><circle cx="300" cy="262" r="96" fill="#dfe6ea"/><circle cx="300" cy="262" r="82" fill="#cbd4d9"/><path d="M228 262 Q240 196 300 200 Q362 196 372 262 Q300 290 228 262Z" fill="#f6efe0"/>
  <rect x="190" y="376" width="220" height="58" rx="8" fill="#b9d7c9"/><g transform="translate(214 384) scale(.6)">${digit(30, 0, 2)}${digit(90, 0, 5)}${digit(150, 0, 0)}<circle cx="208" cy="66" r="6" fill="#21404f"/>${digit(226, 0, 0)}</g><circle cx="150" cy="406" r="15" fill="#8b98a0"/><circle cx="450" cy="406" r="15" fill="#8b98a0"/>`;

/** A kettle for the stove: squat with a whistle, or of hammered copper. */
export const kettle = (colour, hammered) => {
  const body = 'M150 300 C150 210 220 186 290 186 C370 186 440 214 440 300 Q452 400 424 478 H166 Q138 400 150 300Z';
  return `${ground(300, 492, 200)}<path d="M190 236 C170 70 420 70 400 236" fill="none" stroke="#39352f" stroke-width="24"/><path d="M426 300 Q500 300 512 214 L556 200 Q566 370 432 402Z" fill="${shade(colour, -0.14)}"/>
    <path d="${body}" fill="${colour}"/>${clip('k', `<path d="${body}"/>`, `<path d="M130 180h110q-54 140 -20 310H130z" fill="${shade(colour, 0.3)}"/>${hammered ? lines(0, 48, (i) => `<circle cx="${166 + (i % 8) * 38 + (Math.floor(i / 8) % 2) * 18}" cy="${232 + Math.floor(i / 8) * 42}" r="11" fill="${shade(colour, i % 2 ? 0.2 : -0.12)}" opacity=".7"/>`) : `<path d="M130 440h340" stroke="${shade(colour, -0.2)}" stroke-width="10"/>`}`)}
    <ellipse cx="294" cy="190" rx="82" ry="22" fill="${shade(colour, -0.2)}"/><ellipse cx="294" cy="182" rx="70" ry="18" fill="${shade(colour, 0.15)}"/><circle cx="294" cy="158" r="18" fill="#39352f"/>${hammered ? '' : '<rect x="522" y="176" width="44" height="36" rx="8" fill="#39352f"/><path d="M536 150q-10 -20 6 -38M560 146q-10 -20 6 -38" fill="none" stroke="#b6c2c9" stroke-width="7" stroke-linecap="round"/>'}`;
};

export const gooseneck = (colour) => `${ground(290, 500, 180)}<path d="M196 470 C100 470 130 300 70 220 L44 214 L52 192 L100 204 C160 290 130 400 210 410" fill="none" stroke="${colour}" stroke-width="24" stroke-linejoin="round"/><path d="M390 250 C520 220 540 420 400 430" fill="none" stroke="#8a5c3b" stroke-width="28"/>
  <path d="M214 222h176l34 250q2 20 -18 20H196q-20 0 -18 -20z" fill="${colour}"/><path d="M214 222h50l-24 270h-44q-20 0 -18 -20z" fill="${shade(colour, 0.22)}"/><path d="M206 222q96 -50 192 0z" fill="${shade(colour, 0.1)}"/><circle cx="302" cy="180" r="20" fill="#8a5c3b"/>`;

export const mug = (colour) => `${ground(280, 500, 180)}<path d="M420 236 C560 216 560 430 420 420" fill="none" stroke="${colour}" stroke-width="34"/><path d="M420 236 C560 216 560 430 420 420" fill="none" stroke="${shade(colour, 0.2)}" stroke-width="12"/>
  <path d="M126 160h310v296q0 38 -40 38H166q-40 0 -40 -38z" fill="${colour}"/><path d="M126 160h90v334h-50q-40 0 -40 -38z" fill="${shade(colour, 0.18)}"/><ellipse cx="281" cy="160" rx="158" ry="34" fill="#20313f"/><ellipse cx="281" cy="166" rx="140" ry="25" fill="#f6f3ea"/>
  ${[[330, 250], [372, 340], [300, 420], [352, 440], [396, 262]].map(([x, y], i) => `<circle cx="${x}" cy="${y}" r="${4 + (i % 2) * 2}" fill="#fff" opacity=".75"/>`).join('')}`;

export const bowl = (colour) => `${ground(300, 482, 180)}<path d="M96 220h408 C500 380 420 452 340 456 H260 C180 452 100 380 96 220Z" fill="${colour}"/><path d="M96 220h90 C190 360 220 430 272 456 H260 C180 452 100 380 96 220Z" fill="${shade(colour, 0.3)}"/><ellipse cx="300" cy="220" rx="204" ry="46" fill="${shade(colour, -0.2)}"/><ellipse cx="300" cy="224" rx="180" ry="36" fill="#b98a5e"/><ellipse cx="280" cy="222" rx="96" ry="17" fill="#e8d3b4"/>
  <path d="M246 452h108l10 26H236z" fill="${shade(colour, -0.25)}"/><path d="M112 300q188 40 376 0" fill="none" stroke="${shade(colour, -0.3)}" stroke-width="7"/>`;

export const dripper = () => `${ground(300, 524, 150)}<path d="M110 130h380l-116 178H226z" fill="#eae4d8"/><path d="M110 130h110l60 178h-54z" fill="#f8f5ee"/><ellipse cx="300" cy="130" rx="190" ry="30" fill="#cfc6b4"/><ellipse cx="300" cy="134" rx="166" ry="22" fill="#6b4327"/><path d="M478 166 q70 10 40 70 q-24 34 -70 16" fill="none" stroke="#eae4d8" stroke-width="20"/>
  <rect x="180" y="304" width="240" height="26" rx="10" fill="#d9d0bf"/><path d="M196 330h208q28 60 24 140 q-2 44 -44 48H216q-42 -4 -44 -48 q-4 -80 24 -140z" fill="#e4eef0"/><path d="M178 420h244q6 90 -40 98H216q-44 -8 -38 -98z" fill="#6b4327"/><path d="M300 332v80" stroke="#6b4327" stroke-width="7"/><path d="M212 356q-16 60 -10 110" fill="none" stroke="#fff" stroke-width="12" stroke-linecap="round"/>`;

export const teapot = () => `${ground(300, 500, 190)}<path d="M420 260 C540 220 560 420 420 420" fill="none" stroke="#cfe0e2" stroke-width="28"/><path d="M180 360 Q90 330 70 220 L104 210 Q130 280 190 290Z" fill="#dcebec"/><circle cx="300" cy="340" r="150" fill="#e3eff0"/>${clip('t', '<circle cx="300" cy="340" r="138"/>', '<rect x="140" y="310" width="320" height="200" fill="#c9762b"/><ellipse cx="300" cy="310" rx="136" ry="16" fill="#e09a4e"/>')}
  <path d="M262 262h76v120q-38 24 -76 0z" fill="#8b5a2b" opacity=".55"/><path d="M196 300q-16 60 20 120" fill="none" stroke="#fff" stroke-width="13" stroke-linecap="round" opacity=".8"/><path d="M218 206q82 -40 164 0l-10 26H228z" fill="#cfe0e2"/><circle cx="300" cy="172" r="20" fill="#b98a57"/>`;

/** A paper bag of flour with a coloured label. */
export const bag = (label) => `${ground(300, 534, 140)}<path d="M170 190h260v310q0 26 -26 26H196q-26 0 -26 -26z" fill="#e8d9bd"/><path d="M170 190h64v336h-38q-26 0 -26 -26z" fill="#f4ead6"/><path d="M170 190l26 -84h208l26 84z" fill="#d9c6a2"/><path d="M196 106h208v-26q-104 -14 -208 0z" fill="#c9b48c"/><path d="M196 126h208" stroke="#b39c70" stroke-width="6" stroke-dasharray="14 9"/>
  <rect x="200" y="262" width="200" height="190" rx="10" fill="${label}"/><g stroke="#fbf3df" stroke-width="8" stroke-linecap="round" fill="none"><path d="M300 426V300"/>${lines(0, 4, (i) => `<path d="M300 ${318 + i * 28}q34 -4 40 -34M300 ${318 + i * 28}q-34 -4 -40 -34"/>`)}</g>`;

export const sachet = () => `${ground(300, 520, 150)}<path d="M156 120h288v380q-144 26 -288 0z" fill="#f3d7c4"/><path d="M156 120h80v392l-80 -12z" fill="#fbe9dc"/><path d="M156 120h288v34H156z" fill="#d98f6d"/>${lines(0, 14, (i) => `<path d="M${162 + i * 21} 120v34" stroke="#c97a56" stroke-width="4"/>`)}<circle cx="300" cy="310" r="92" fill="#fff8e6"/><path d="M232 346 Q300 372 368 346 Q352 306 318 300 Q332 262 294 236 Q300 276 270 294 Q236 306 232 346Z" fill="#f2c14e"/><path d="M252 336q50 14 96 0M276 304q26 8 44 0" fill="none" stroke="#d99f2b" stroke-width="7" stroke-linecap="round"/><rect x="220" y="436" width="160" height="14" rx="7" fill="#d98f6d"/>`;

/** A round tin with a leaf on it. */
export const caddy = (colour, height) => `${ground(300, 522, 130)}<rect x="180" y="${520 - height}" width="240" height="${height}" rx="18" fill="${colour}"/><rect x="180" y="${520 - height}" width="66" height="${height}" rx="18" fill="${shade(colour, 0.22)}"/><rect x="168" y="${490 - height}" width="264" height="64" rx="16" fill="${shade(colour, -0.25)}"/><ellipse cx="300" cy="${492 - height}" rx="130" ry="18" fill="${shade(colour, -0.08)}"/>
  <circle cx="300" cy="${540 - height / 2}" r="76" fill="#f6efdd"/><g transform="translate(300 ${540 - height / 2})"><path d="M0 46 C-60 20 -40 -44 0 -54 C40 -44 60 20 0 46Z" fill="#6f9a4d"/><path d="M0 54V-40M0 10l22 -20M0 10l-22 -20" stroke="#48702d" stroke-width="6" fill="none"/></g>`;

export const breadKnife = () => `${ground(310, 450, 220)}<g transform="rotate(-24 300 300)"><path d="M30 260 H390 V330 ${lines(0, 15, (i) => `L${384 - i * 24} ${i % 2 ? 330 : 340}`)} Q30 330 30 260Z" fill="#dfe6ea"/><path d="M30 260 H390 V284 H34Z" fill="${STEEL}"/><path d="M386 250h150q34 4 34 44t-34 44H386z" fill="#6b4327"/><path d="M386 250h150q28 4 33 32H386z" fill="#8a5c3b"/><circle cx="430" cy="294" r="10" fill="#d9a441"/><circle cx="516" cy="294" r="10" fill="#d9a441"/></g>`;

export const loaf = (x, y, s) => `<g transform="translate(${x} ${y}) scale(${s})"><path d="M-150 60 C-170 -70 -60 -96 0 -96 C60 -96 170 -70 150 60 Q0 86 -150 60Z" fill="${LOAF}"/><path d="M-150 60 C-160 -50 -90 -82 -40 -92 C-90 -50 -110 0 -104 70Z" fill="${shade(LOAF, 0.22)}"/>${[-70, -10, 50].map((at) => `<path d="M${at} -62 q40 20 44 92" fill="none" stroke="#f0d2a0" stroke-width="15" stroke-linecap="round"/>`).join('')}</g>`;

export const board = () => `${ground(300, 480, 230)}<rect x="70" y="386" width="400" height="74" rx="30" fill="#b98a57"/><rect x="70" y="370" width="400" height="74" rx="30" fill="#d3a56c"/><path d="M456 384h70q24 0 24 23t-24 23h-70z" fill="#d3a56c"/><circle cx="522" cy="407" r="11" fill="#f2ece0"/><path d="M110 398h260M140 418h180" stroke="#b98a4f" stroke-width="4"/>${loaf(258, 312, 1)}`;

export const warmer = () => `${ground(300, 476, 220)}<path d="M90 380h420l30 70H60z" fill="#c46a4a"/><path d="M60 450h480v16q0 8 -8 8H68q-8 0 -8 -8z" fill="#8f452c"/><path d="M130 400q20 30 44 0t44 0 44 0 44 0 44 0 44 0 44 0" fill="none" stroke="#f0b08f" stroke-width="9"/><path d="M168 260h264q-6 120 -60 126H228q-54 -6 -60 -126z" fill="#e9e2d2"/><path d="M176 262 Q190 150 300 150 Q410 150 424 262 Q300 290 176 262Z" fill="#f6efe0"/><ellipse cx="300" cy="262" rx="132" ry="22" fill="none" stroke="#cfc4ab" stroke-width="8"/><path d="M540 440q40 20 30 80" fill="none" stroke="${INK}" stroke-width="10"/>`;
