// Drawings of clothing.

import { clip, ground, lines, shade } from './kit.mjs';

const TOP = 'M226 116 Q300 150 374 116 L452 150 Q504 214 536 372 L462 394 L428 288 L432 494 Q300 516 168 494 L172 288 L138 394 L64 372 Q96 214 148 150Z';

/** A knitted sweater. */
export const sweater = (colour) => `${clip('s', `<path d="${TOP}"/>`, `<rect width="600" height="600" fill="${colour}"/>
  ${lines(3, 29, (i) => `<path d="M${i * 20} 90v420" stroke="${shade(colour, -0.16)}" stroke-width="7"/>`)}
  <path d="M172 288 L168 494 M428 288 L432 494" stroke="${shade(colour, -0.35)}" stroke-width="8"/>
  <path d="M160 456 Q300 478 440 456 V520 H160Z" fill="${shade(colour, -0.2)}"/>${lines(8, 23, (i) => `<path d="M${i * 20 - 4} 456v60" stroke="${shade(colour, -0.38)}" stroke-width="6"/>`)}
  <path d="M58 346 L146 370 V400 H50Z M454 370 L542 346 V400 H454Z" fill="${shade(colour, -0.2)}"/>`)}
  <path d="M218 112 Q300 174 382 112 Q392 132 384 146 Q300 200 216 146 Q208 132 218 112Z" fill="${shade(colour, -0.22)}"/><path d="M232 116 Q300 158 368 116 Q300 132 232 116Z" fill="${shade(colour, -0.5)}"/>`;

/** A shirt with stripes. */
export const stripes = (colour) => `${clip('s', `<path d="${TOP}"/>`, `<rect width="600" height="600" fill="#fbf8f0"/>
  ${lines(0, 9, (i) => `<path d="M40 ${196 + i * 36} Q300 ${216 + i * 36} 560 ${196 + i * 36}" fill="none" stroke="${colour}" stroke-width="15"/>`)}
  <path d="M172 288 L168 494 M428 288 L432 494" stroke="#cfc8b8" stroke-width="7"/>`)}
  <path d="M222 114 Q300 160 378 114 L384 126 Q300 186 216 126Z" fill="#e7e0d0"/><path d="M232 117 Q300 150 368 117 Q300 132 232 117Z" fill="#b8b09e"/>`;

export const cap = (colour) => `${ground(300, 462, 180)}${clip('c', '<path d="M148 350 C140 150 250 118 300 118 C350 118 460 150 452 350Z"/>', `<rect width="600" height="600" fill="${colour}"/>
  ${lines(0, 9, (i) => `<path d="M300 110 Q${150 + i * 37.5} 180 ${140 + i * 40} 360" fill="none" stroke="${shade(colour, -0.22)}" stroke-width="8"/>`)}`)}
  <rect x="128" y="328" width="344" height="116" rx="34" fill="${shade(colour, 0.12)}"/>${lines(0, 13, (i) => `<path d="M${154 + i * 24.4} 334v104" stroke="${shade(colour, -0.14)}" stroke-width="8"/>`)}
  <rect x="404" y="366" width="40" height="48" rx="4" fill="#efe6d2"/>`;

export const socks = (colour) => {
  const sock = `<path d="M0 0h108v220q0 22 18 40l52 46q34 34 6 66 q-26 26 -64 6 L14 300 Q-4 286 -2 250Z" fill="${colour}"/><path d="M-4 -4h116v70h-116z" fill="${shade(colour, 0.22)}"/>
    ${lines(0, 7, (i) => `<path d="M${6 + i * 16} -2v66" stroke="${shade(colour, -0.1)}" stroke-width="5"/>`)}<path d="M-1 240q60 -8 96 26l-40 52L14 300Q-4 286 -1 240z" fill="${shade(colour, -0.3)}"/><path d="M150 378 q-6 -40 42 -64 q22 34 -8 58 q-14 12 -34 6z" fill="${shade(colour, -0.3)}"/><path d="M0 92h108M0 112h108" stroke="#efe6d2" stroke-width="9"/>`;
  return `${ground(300, 512, 190)}<g transform="translate(120 116)">${sock}</g><g transform="translate(290 132)">${sock}</g>`;
};

export const jacket = (colour) => `${ground(300, 536, 170)}<path d="M222 108 L150 140 Q104 200 76 404 L144 420 L168 300 L164 520 Q300 540 436 520 L432 300 L456 420 L524 404 Q496 200 450 140 L378 108 L300 150Z" fill="${colour}"/>
  <path d="M222 108 L150 140 Q104 200 76 404 L110 412 Q136 230 214 150Z" fill="${shade(colour, 0.14)}"/><path d="M168 300 L176 220 M432 300 L424 220" stroke="${shade(colour, -0.35)}" stroke-width="7"/>
  <path d="M222 108 L300 150 L378 108 L398 138 L318 214 L300 176 L282 214 L202 138Z" fill="#6b4a2f"/>${lines(0, 7, (i) => `<path d="M${212 + i * 12} ${126 + i * 10}l${18} ${22}M${388 - i * 12} ${126 + i * 10}l-18 22" stroke="#54381f" stroke-width="4"/>`)}
  <path d="M284 214h34v318h-34z" fill="${shade(colour, -0.22)}"/>${[250, 314, 378, 442, 500].map((y) => `<circle cx="301" cy="${y}" r="9" fill="#caa24f"/>`).join('')}
  <path d="M188 366h78v92q-39 12 -78 0z M334 366h78v92q-39 12 -78 0z" fill="${shade(colour, -0.16)}"/><path d="M182 352h90v32q-45 16 -90 0z M328 352h90v32q-45 16 -90 0z" fill="${shade(colour, -0.3)}"/>`;

export const hat = (colour) => `${ground(300, 470, 210)}<path d="M60 400 Q120 300 190 296 L420 296 Q520 330 560 452 Q480 430 430 400 Q300 360 180 388 Q110 400 60 400Z" fill="${shade(colour, -0.12)}"/>
  <path d="M180 330 C180 160 260 124 310 124 C370 124 434 170 430 336 Q300 300 180 330Z" fill="${colour}"/><path d="M180 330 C180 160 260 124 310 124 C250 150 226 220 226 318Z" fill="${shade(colour, 0.25)}"/><path d="M310 124 C330 190 332 250 330 312" fill="none" stroke="${shade(colour, -0.28)}" stroke-width="6"/>
  <path d="M178 330 Q300 296 432 336 L430 364 Q300 328 180 356Z" fill="${shade(colour, -0.3)}"/><path d="M216 388 C220 480 330 500 380 392" fill="none" stroke="#4a4a3c" stroke-width="9"/>`;

export const bib = (colour) => `${ground(300, 544, 140)}<path d="M226 96 L236 210 M374 96 L364 210" stroke="${shade(colour, -0.3)}" stroke-width="30"/><path d="M222 180h156l12 110q30 40 34 90l18 152h-120l-22 -150 -22 150H158l18 -152q4 -50 34 -90z" fill="${colour}"/>
  <path d="M222 180h34l-14 116q-30 50 -34 96l-14 140H158l18 -152q4 -50 34 -90z" fill="${shade(colour, 0.22)}"/><rect x="252" y="214" width="96" height="76" rx="8" fill="${shade(colour, -0.14)}"/><path d="M252 234h96" stroke="${shade(colour, -0.35)}" stroke-width="5"/>
  <path d="M196 318h208" stroke="${shade(colour, -0.25)}" stroke-width="7"/><rect x="228" y="168" width="32" height="34" rx="5" fill="#59636a"/><rect x="340" y="168" width="32" height="34" rx="5" fill="#59636a"/><path d="M164 474h126M310 474h126" stroke="#d6dcdf" stroke-width="17"/>`;

export const boots = (colour) => {
  const boot = `<path d="M0 0h118v232q6 40 66 58q34 14 34 56v16H0z" fill="${colour}"/><path d="M0 0h40v362H0z" fill="${shade(colour, 0.2)}"/><path d="M-6 352h230v30H-6z" fill="#efe6d2"/><path d="M-6 372h230v14H-6z" fill="#b9744a"/><rect x="-6" y="-8" width="130" height="38" rx="10" fill="${shade(colour, -0.28)}"/><path d="M118 236 q-40 22 -64 0" fill="none" stroke="${shade(colour, -0.3)}" stroke-width="7"/>`;
  return `${ground(310, 520, 210)}<g transform="translate(104 128)">${boot}</g><g transform="translate(290 140)">${boot}</g>`;
};

export const apron = (colour) => `<path d="M236 190 C220 70 380 70 364 190" fill="none" stroke="${shade(colour, -0.35)}" stroke-width="15"/><path d="M160 330 C90 320 70 360 60 420M440 330 C510 320 530 360 540 420" fill="none" stroke="${shade(colour, -0.35)}" stroke-width="15" stroke-linecap="round"/>
  <path d="M226 180h148q10 100 76 150v196q-150 22 -300 0V330q66 -50 76 -150z" fill="${colour}"/><path d="M226 180h30q-6 110 -66 166v184l-40 -4V330q66 -50 76 -150z" fill="${shade(colour, 0.15)}"/><path d="M214 352h172v96q-86 20 -172 0z" fill="${shade(colour, -0.18)}"/><path d="M300 352v106" stroke="${shade(colour, 0.15)}" stroke-width="5"/><path d="M226 204h148" stroke="${shade(colour, -0.25)}" stroke-width="6"/>`;

export const mitts = (colour) => {
  const mitt = `<path d="M0 300V110 Q6 6 84 2 Q160 6 164 110 L168 160 Q190 110 222 126 Q246 146 226 190 Q206 236 168 262 V300Z" fill="${colour}"/>${lines(0, 6, (i) => `<path d="M10 ${60 + i * 44}l150 -40M16 ${30 + i * 44}l150 40" stroke="${shade(colour, 0.2)}" stroke-width="3.5"/>`)}<rect x="-8" y="290" width="184" height="58" rx="12" fill="#efe6d2"/><path d="M-8 318h184" stroke="#d3c5a5" stroke-width="6"/>`;
  return `${ground(300, 500, 190)}<g transform="translate(296 130) rotate(6)">${mitt}</g><g transform="translate(310 150) scale(-1 1) rotate(6)">${mitt}</g>`;
};
