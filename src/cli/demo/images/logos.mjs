// Marks of the brands: no letters, so that no font is needed.

import { lines } from './kit.mjs';

const mark = (ground, body) => `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="320" viewBox="0 0 600 600"><rect width="600" height="600" fill="${ground}"/>${body}</svg>`;

const rope = (d, width = 44) => `<path d="${d}" fill="none" stroke="#1d3550" stroke-width="${width + 16}" stroke-linecap="round"/><path d="${d}" fill="none" stroke="#e9d3a3" stroke-width="${width}" stroke-linecap="round"/>`;
export const knot = mark('#1d3550', `${rope('M90 230 H250 C350 230 350 370 250 370 H90')}${rope('M510 230 H350 C250 230 250 370 350 370 H510')}${rope('M214 230 H250 C290 230 314 252 322 280')}${rope('M386 370 H350 C310 370 286 348 278 320')}`);

export const lighthouse = mark('#16324a', `<path d="M300 196 L560 110 V260Z M300 196 L40 110 V260Z" fill="#f6c65b" opacity=".85"/><path d="M252 240h96l34 270H218z" fill="#f6f1e4"/><path d="M246 300h108l8 60H238zM230 424h140l8 60H222z" fill="#c8433a"/><rect x="250" y="166" width="100" height="76" rx="6" fill="#f6c65b"/><path d="M238 168l62 -64 62 64z" fill="#c8433a"/><rect x="228" y="238" width="144" height="18" rx="6" fill="#f6f1e4"/>`);

export const yarn = mark('#f0e4d3', `<path d="M150 470 L430 110 M450 470 L170 110" stroke="#8a5a34" stroke-width="20" stroke-linecap="round"/><circle cx="430" cy="110" r="26" fill="#b5532f"/><circle cx="170" cy="110" r="26" fill="#b5532f"/><circle cx="300" cy="320" r="156" fill="#3f5f7f"/><g fill="none" stroke="#6f8dab" stroke-width="15" stroke-linecap="round"><path d="M176 270 Q280 190 400 230M160 330 Q290 220 440 280M180 400 Q320 270 450 340M220 300 Q260 400 350 462M300 250 Q330 350 420 410"/></g>`);

export const sheep = mark('#5d6b62', `<g fill="#f4efe4"><circle cx="220" cy="280" r="76"/><circle cx="310" cy="240" r="84"/><circle cx="400" cy="290" r="76"/><circle cx="360" cy="350" r="80"/><circle cx="256" cy="356" r="80"/></g><path d="M118 236 Q90 330 140 350 Q190 350 188 260 Q160 220 118 236Z" fill="#2c332f"/><path d="M232 410v80M296 424v66M360 420v70" stroke="#2c332f" stroke-width="26" stroke-linecap="round"/><circle cx="140" cy="282" r="8" fill="#f4efe4"/>`);

export const kettle = mark('#b5532f', `<path d="M196 240 C180 90 420 90 404 240" fill="none" stroke="#fbf1e0" stroke-width="26"/><path d="M160 320 C160 240 240 216 300 216 C360 216 440 240 440 320 L420 476 H180Z" fill="#fbf1e0"/><path d="M430 310 Q500 300 506 220 L544 208 Q556 380 428 410Z" fill="#fbf1e0"/><path d="M214 430h172" stroke="#b5532f" stroke-width="16" stroke-linecap="round"/>`);

export const loaf = mark('#6b4327', `<path d="M120 440 C90 260 190 170 300 170 C410 170 510 260 480 440 Q300 480 120 440Z" fill="#eac58c"/><path d="M206 230 q60 40 60 110 M300 210 q56 44 56 116 M392 232 q40 44 40 100" fill="none" stroke="#6b4327" stroke-width="24" stroke-linecap="round"/>`);

export const wheel = mark('#dfe8dc', `<circle cx="300" cy="280" r="176" fill="none" stroke="#7a5530" stroke-width="26"/><circle cx="300" cy="280" r="110" fill="none" stroke="#7a5530" stroke-width="15"/>${lines(0, 8, (i) => `<g transform="rotate(${i * 45} 300 280)"><path d="M300 280V104" stroke="#7a5530" stroke-width="18"/><rect x="276" y="78" width="48" height="42" rx="5" fill="#9b7343"/></g>`)}<circle cx="300" cy="280" r="36" fill="#7a5530"/><path d="M60 480q40 -40 80 0t80 0 80 0 80 0 80 0 80 0" fill="none" stroke="#3f7fae" stroke-width="26" stroke-linecap="round"/>`);

export const apple = mark('#f6efe2', `<path d="M300 210 C250 160 120 170 120 320 C120 440 220 530 300 490 C380 530 480 440 480 320 C480 170 350 160 300 210Z" fill="#c4483c"/><path d="M176 250q-30 60 -4 130" fill="none" stroke="#e58478" stroke-width="24" stroke-linecap="round"/><path d="M300 220 C296 160 310 120 340 90" fill="none" stroke="#6b4327" stroke-width="20" stroke-linecap="round"/><path d="M324 150 C360 90 430 90 470 110 C440 170 380 180 324 150Z" fill="#6f9a4d"/>`);

export const buoy = mark('#f3f6f7', `<path d="M210 260h180l46 190H164z" fill="#d8432f"/><path d="M194 326h212l14 62H180z" fill="#f6f1e4"/><path d="M244 260 L300 130 L356 260" fill="none" stroke="#2b3a44" stroke-width="20"/><circle cx="300" cy="116" r="34" fill="#f2b632"/><path d="M60 470q40 -40 80 0t80 0 80 0 80 0 80 0 80 0v90H60z" fill="#2f6690"/>`);

export const wind = mark('#244a66', `<path d="M120 170h250c90 0 90 -100 20 -100c-34 0 -46 30 -38 54" fill="none" stroke="#f2d27a" stroke-width="28" stroke-linecap="round"/><path d="M80 260h370c100 0 96 112 16 112c-36 0 -50 -34 -36 -58" fill="none" stroke="#f6f1e4" stroke-width="28" stroke-linecap="round"/><path d="M60 440q40 -44 80 0t80 0 80 0 80 0 80 0 80 0" fill="none" stroke="#7fb2cf" stroke-width="28" stroke-linecap="round"/><path d="M60 510q40 -44 80 0t80 0 80 0 80 0 80 0 80 0" fill="none" stroke="#7fb2cf" stroke-width="28" stroke-linecap="round"/>`);

export const hearth = mark('#efe3d0', `<path d="M90 300 L300 110 L510 300" fill="none" stroke="#7c3b2c" stroke-width="36" stroke-linecap="round" stroke-linejoin="round"/><path d="M150 290v210h300V290" fill="none" stroke="#7c3b2c" stroke-width="30"/><path d="M300 250 C390 340 380 470 300 480 C220 470 210 340 300 250Z" fill="#e8833a"/><path d="M300 350 C344 396 336 466 300 470 C264 466 256 396 300 350Z" fill="#f7cf6d"/>`);

export const leaf = mark('#3f6b4a', `<path d="M300 520 C110 440 130 190 300 80 C470 190 490 440 300 520Z" fill="#d8e6b8"/><path d="M300 540V170M300 300l84 -74M300 300l-84 -74M300 400l96 -84M300 400l-96 -84" stroke="#3f6b4a" stroke-width="20" stroke-linecap="round" fill="none"/>`);
