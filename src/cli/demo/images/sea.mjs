// Drawings of what is used on board: functions from colours to SVG in a square of 600 x 600.

import { DARK, INK, brass, clip, flame, ground, lines, shade } from './kit.mjs';

/** A coil of rope seen from above, with so many turns and a spliced eye. */
export const coil = (colour, turns) => {
  const radii = [...Array(turns).keys()].map((turn) => 62 + turn * (132 / (turns - 1)));
  const ring = (r) => `<circle cx="290" cy="300" r="${r}" fill="none" stroke="${shade(colour, -0.35)}" stroke-width="38"/>
    <circle cx="290" cy="300" r="${r}" fill="none" stroke="${colour}" stroke-width="32"/>
    <circle cx="290" cy="300" r="${r}" fill="none" stroke="${shade(colour, 0.3)}" stroke-width="26" stroke-dasharray="5 21" opacity=".7"/>`;
  const tail = (stroke, width, more = '') =>
    `<path d="M484 290 C500 380 510 420 470 470 C440 505 480 540 510 510 C530 490 505 455 474 466" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linecap="round" ${more}/>`;
  return `<circle cx="290" cy="306" r="214" fill="#000" opacity=".08"/>
    ${tail(shade(colour, -0.35), 36)}${tail(colour, 30)}${tail(shade(colour, 0.3), 22, 'stroke-dasharray="5 21" opacity=".7"')}
    ${radii.reverse().map(ring).join('')}
    <rect x="268" y="476" width="44" height="34" rx="6" fill="#f4efe4"/><path d="M268 487h44M268 498h44" stroke="#d9d0bd" stroke-width="4"/>`;
};

/** A hank of rope, wrapped round its middle. */
export const hank = (colour) => {
  const loop = (x, w) => `<rect x="${x}" y="${120 + (140 - w) / 6}" width="${w}" height="${370 - (140 - w) / 3}" rx="${w / 2}" fill="none" stroke="${shade(colour, -0.3)}" stroke-width="34"/>
    <rect x="${x}" y="${120 + (140 - w) / 6}" width="${w}" height="${370 - (140 - w) / 3}" rx="${w / 2}" fill="none" stroke="${colour}" stroke-width="28"/>
    <rect x="${x}" y="${120 + (140 - w) / 6}" width="${w}" height="${370 - (140 - w) / 3}" rx="${w / 2}" fill="none" stroke="${shade(colour, 0.25)}" stroke-width="22" stroke-dasharray="5 19" opacity=".8"/>`;
  const wrap = [...Array(5).keys()].map((i) => `<rect x="176" y="${238 + i * 27}" width="248" height="29" rx="14" fill="${i % 2 ? shade(colour, 0.08) : colour}" stroke="${shade(colour, -0.3)}" stroke-width="5"/>`);
  return `${ground(300, 520, 130)}${loop(200, 200)}${loop(234, 132)}${loop(268, 64)}${wrap.join('')}`;
};

export const cleat = (colour, scale) => `${ground(300, 428, 200)}<g transform="translate(300 330) scale(${scale}) translate(-300 -330)">
  <path d="M78 262 Q300 196 522 262 Q534 300 486 302 L398 302 Q396 362 440 388 Q452 420 424 420 L176 420 Q148 420 160 388 Q204 362 202 302 L114 302 Q66 300 78 262Z" fill="${colour}"/>
  <path d="M78 262 Q300 196 522 262 Q526 272 524 280 Q300 222 76 280 Q74 272 78 262Z" fill="${shade(colour, 0.4)}"/>
  <path d="M256 302h88q2 48 -18 66h-52q-20 -18 -18 -66z" fill="#eef1f1"/>
  <path d="M160 392h280q10 28 -16 28h-248q-26 0 -16 -28z" fill="${shade(colour, -0.25)}"/>
  <circle cx="208" cy="400" r="11" fill="${shade(colour, -0.5)}"/><circle cx="392" cy="400" r="11" fill="${shade(colour, -0.5)}"/></g>`;

export const splicing = () => `${ground(300, 496, 190)}
  <g transform="rotate(24 240 300)"><path d="M214 112 Q240 90 266 112 L252 470 Q240 492 228 470Z" fill="#9a5a2e"/><path d="M214 112 Q240 90 240 90 L240 484 Q232 482 228 470Z" fill="#b8733f"/>
  <path d="M212 150h56M214 166h52" stroke="#7b4521" stroke-width="5"/></g>
  <rect x="330" y="300" width="130" height="150" fill="#2f5d86"/><path d="M330 318h130M330 340h130M330 362h130M330 384h130M330 406h130M330 428h130" stroke="#24496b" stroke-width="7"/>
  <rect x="312" y="276" width="166" height="30" rx="10" fill="#c9985d"/><rect x="312" y="448" width="166" height="30" rx="10" fill="#b58349"/>
  <path d="M450 330 C520 300 520 220 440 200 C400 190 380 220 410 236" fill="none" stroke="#2f5d86" stroke-width="8" stroke-linecap="round"/>
  <path d="M120 452 L300 474 L296 492 L124 478Z" fill="#c4ccd1"/><path d="M96 446h62v40h-62q-14 -20 0 -40z" fill="#7b4521"/>`;

export const fender = (colour) => {
  const body = clip('f', '<ellipse cx="300" cy="345" rx="118" ry="165"/>', `<rect x="150" y="150" width="300" height="400" fill="${colour}"/>
    ${lines(-10, 26, (i) => `<path d="M${150 + i * 34} 150l220 400" stroke="${shade(colour, -0.28)}" stroke-width="9"/><path d="M${450 - i * 34} 150l-220 400" stroke="${shade(colour, 0.22)}" stroke-width="9"/>`)}`);
  return `${ground(300, 522, 110)}<path d="M272 200 C240 60 360 60 328 200" fill="none" stroke="${shade(colour, -0.3)}" stroke-width="34"/><path d="M272 200 C240 60 360 60 328 200" fill="none" stroke="${colour}" stroke-width="26"/>
    ${body}<ellipse cx="300" cy="345" rx="118" ry="165" fill="none" stroke="${shade(colour, -0.35)}" stroke-width="7"/>
    <rect x="246" y="168" width="108" height="42" rx="20" fill="${shade(colour, -0.15)}" stroke="${shade(colour, -0.4)}" stroke-width="5"/>`;
};

export const bell = () => `<path d="M180 92h240v28h-240z" fill="#8a5a34"/><path d="M286 118h28v50h-28z" fill="${brass.dark}"/>
  <path d="M300 152 C390 152 396 240 404 320 Q410 372 462 412 L138 412 Q190 372 196 320 C204 240 210 152 300 152Z" fill="${brass.mid}"/>
  <path d="M300 152 C260 152 236 200 230 290 Q226 366 196 412 L138 412 Q190 372 196 320 C204 240 210 152 300 152Z" fill="${brass.light}"/>
  <rect x="122" y="408" width="356" height="30" rx="15" fill="${brass.dark}"/><path d="M204 300h192M208 276h184" stroke="${brass.dark}" stroke-width="6"/>
  <circle cx="300" cy="452" r="26" fill="${brass.dark}"/><path d="M300 474 q18 30 0 60" fill="none" stroke="#efe6d2" stroke-width="18" stroke-linecap="round"/><circle cx="300" cy="536" r="16" fill="#efe6d2"/>`;

export const mat = (colour) => {
  const rings = [0, 36, 72, 108, 144].map((turn) => {
    const one = (stroke, width, more = '') => `<ellipse cx="300" cy="300" rx="196" ry="92" transform="rotate(${turn} 300 300)" fill="none" stroke="${stroke}" stroke-width="${width}" ${more}/>`;
    return one(shade(colour, -0.45), 42) + one(colour, 34) + one(shade(colour, 0.25), 26, 'stroke-dasharray="6 20" opacity=".75"');
  });
  return `<g transform="translate(300 310) scale(1.06 .86) translate(-300 -300)"><circle cx="300" cy="312" r="214" fill="#000" opacity=".08"/>${rings.join('')}</g>`;
};

export const lantern = (colour) => `${ground(300, 522, 120)}<path d="M196 250 C150 60 450 60 404 250" fill="none" stroke="#555d63" stroke-width="9"/>
  <path d="M262 132h76l14 34h-104z" fill="${shade(colour, -0.2)}"/><rect x="232" y="164" width="136" height="26" rx="8" fill="${colour}"/>
  <path d="M252 190h96 C400 250 398 320 350 372 h-100 C202 320 200 250 252 190Z" fill="#fdf3cf"/><path d="M268 196 C226 250 226 310 262 366" fill="none" stroke="#fff" stroke-width="10" opacity=".9"/>
  ${flame(300, 350, 1.35)}
  <path d="M210 190 C168 260 168 330 216 400M390 190 C432 260 432 330 384 400" fill="none" stroke="${shade(colour, -0.1)}" stroke-width="13"/><path d="M196 284h208" stroke="#555d63" stroke-width="6"/>
  <rect x="238" y="366" width="124" height="24" rx="6" fill="${shade(colour, -0.3)}"/><path d="M214 388h172 C424 420 430 470 424 504 h-248 C170 470 176 420 214 388Z" fill="${colour}"/>
  <path d="M214 388h40 C216 420 210 470 214 504 h-38 C170 470 176 420 214 388Z" fill="${shade(colour, 0.25)}"/><rect x="164" y="496" width="272" height="24" rx="10" fill="${shade(colour, -0.25)}"/><circle cx="352" cy="440" r="15" fill="${shade(colour, -0.35)}"/>`;

export const solar = () => `${ground(300, 506, 130)}<path d="M206 172 C206 70 394 70 394 172" fill="none" stroke="#39454d" stroke-width="14"/>
  <rect x="176" y="160" width="248" height="44" rx="16" fill="#2c3840"/><path d="M212 170h176v24h-176z" fill="#3e6f9e"/><path d="M256 170v24M300 170v24M344 170v24" stroke="#2c3840" stroke-width="5"/>
  ${lines(0, 5, (i) => `<rect x="${184 + (i % 2) * 12}" y="${204 + i * 52}" width="${232 - (i % 2) * 24}" height="52" rx="22" fill="${i % 2 ? '#ffe9ad' : '#fff3d0'}" stroke="#f0cf86" stroke-width="4"/>`)}
  <rect x="176" y="462" width="248" height="42" rx="16" fill="#2c3840"/><circle cx="300" cy="483" r="10" fill="#f4b942"/>`;

export const gimbal = () => `<rect x="110" y="180" width="46" height="240" rx="20" fill="#8a5a34"/><path d="M150 318h70" stroke="${brass.dark}" stroke-width="18"/>
  <circle cx="320" cy="340" r="112" fill="none" stroke="${brass.mid}" stroke-width="18"/><circle cx="208" cy="340" r="14" fill="${brass.dark}"/><circle cx="432" cy="340" r="14" fill="${brass.dark}"/>
  <path d="M226 88 Q320 44 414 88 L392 112 Q320 86 248 112Z" fill="${brass.mid}"/><path d="M133 190 C133 80 200 78 320 66" fill="none" stroke="${brass.dark}" stroke-width="9"/>
  <path d="M288 140h64 C350 190 384 220 372 272 h-104 C256 220 290 190 288 140Z" fill="#fdf3cf" stroke="#e8d9a4" stroke-width="4"/>${flame(320, 262, 1.1)}
  <rect x="270" y="268" width="100" height="24" rx="6" fill="${brass.dark}"/><path d="M262 290h116 C420 330 404 440 320 444 C236 440 220 330 262 290Z" fill="${brass.mid}"/><path d="M262 290h34 C258 340 262 420 320 444 C236 440 220 330 262 290Z" fill="${brass.light}"/>`;

export const candles = () => {
  const one = (x, y, h) => `${flame(x, y - 12, 0.9)}<path d="M${x} ${y + 6}v-22" stroke="${DARK}" stroke-width="5"/><rect x="${x - 52}" y="${y}" width="104" height="${h}" rx="16" fill="#e9b44c"/><rect x="${x - 52}" y="${y}" width="34" height="${h}" rx="16" fill="#f3cd7b"/><ellipse cx="${x}" cy="${y + 12}" rx="52" ry="14" fill="#f6d995"/>`;
  return `${ground(300, 512, 190)}${one(300, 214, 240)}${one(184, 300, 208)}${one(416, 270, 238)}
    <path d="M120 420h360v88q0 8 -8 8h-344q-8 0 -8 -8z" fill="#efe4cd"/><path d="M120 420h360v14h-360z" fill="#fbf5e8"/><path d="M120 470h360" stroke="#b9744a" stroke-width="8"/><path d="M300 470 c-50 -46 -60 10 0 0 c60 10 50 -46 0 0" fill="none" stroke="#b9744a" stroke-width="8"/>`;
};

export const lifebuoy = () => {
  const arc = (turn) => `<path d="M300 120a180 180 0 0 1 127 53l-60 60a95 95 0 0 0 -67 -28z" transform="rotate(${turn} 300 300)" fill="#fbfaf6"/>`;
  const rope = (stroke, width) => `<path d="M300 104 Q480 90 496 300 Q510 490 300 496 Q100 500 104 300 Q110 90 300 104" fill="none" stroke="${stroke}" stroke-width="${width}"/>`;
  return `<circle cx="300" cy="308" r="190" fill="#000" opacity=".08"/>${rope('#b9a77f', 16)}${rope('#e6dabd', 11)}<circle cx="300" cy="300" r="138" fill="none" stroke="#e4572e" stroke-width="86"/>
    <circle cx="300" cy="300" r="160" fill="none" stroke="#ef7d57" stroke-width="14" opacity=".8"/>${[22, 112, 202, 292].map(arc).join('')}
    ${[45, 135, 225, 315].map((turn) => `<rect x="284" y="104" width="32" height="110" rx="6" transform="rotate(${turn + 22} 300 300)" fill="#34424c" opacity=".0"/>`).join('')}`;
};

/** A round brass case with a face: a compass or a clock. */
const round = (face) => `${ground(300, 524, 140)}<circle cx="300" cy="306" r="214" fill="${brass.dark}"/><circle cx="300" cy="300" r="210" fill="${brass.mid}"/><path d="M300 90a210 210 0 0 0 -148 358l30 -30a168 168 0 0 1 118 -286z" fill="${brass.light}"/>
  <circle cx="300" cy="300" r="164" fill="#fbf7ea"/><circle cx="300" cy="300" r="164" fill="none" stroke="${brass.dark}" stroke-width="7"/>${face}`;
const ticks = (count, long) => lines(0, count, (i) => `<path d="M300 150v${i % long ? 14 : 28}" stroke="${INK}" stroke-width="${i % long ? 4 : 8}" transform="rotate(${(i * 360) / count} 300 300)"/>`);

export const compass = () => round(`${ticks(24, 6)}<g transform="rotate(28 300 300)"><path d="M300 182 L330 300 L270 300Z" fill="#d1402f"/><path d="M300 418 L330 300 L270 300Z" fill="#3d4b55"/></g><circle cx="300" cy="300" r="15" fill="${brass.mid}"/>`);
export const clock = () => round(`${ticks(60, 5)}<path d="M300 300 L300 196" stroke="${INK}" stroke-width="13" stroke-linecap="round" transform="rotate(52 300 300)"/><path d="M300 300 L300 214" stroke="${INK}" stroke-width="18" stroke-linecap="round" transform="rotate(-58 300 300)"/><circle cx="300" cy="300" r="15" fill="${brass.dark}"/>`);

export const anchor = () => `${ground(300, 526, 150)}<circle cx="300" cy="126" r="42" fill="none" stroke="#4a5963" stroke-width="22"/><rect x="278" y="164" width="44" height="320" rx="16" fill="#5d6e79"/><rect x="278" y="164" width="18" height="320" rx="9" fill="#7f919c"/>
  <rect x="190" y="206" width="220" height="34" rx="17" fill="#4a5963"/><path d="M112 348 L176 376 Q184 462 300 470 Q416 462 424 376 L488 348 Q492 520 300 524 Q108 520 112 348Z" fill="#5d6e79"/>
  <path d="M88 366 L128 300 L190 382 Q140 392 88 366Z" fill="#4a5963"/><path d="M512 366 L472 300 L410 382 Q460 392 512 366Z" fill="#4a5963"/>`;

export const flags = () => {
  const flag = (x, y, turn, body) => `<g transform="translate(${x} ${y}) rotate(${turn})"><rect x="4" y="6" width="96" height="112" fill="#000" opacity=".1"/>${body}</g>`;
  const plain = (colour) => `<rect width="96" height="112" fill="${colour}"/>`;
  return `<path d="M70 150 Q300 250 530 150" fill="none" stroke="#b9a77f" stroke-width="9"/><path d="M70 372 Q300 470 530 372" fill="none" stroke="#b9a77f" stroke-width="9"/>
    ${flag(94, 158, 14, `${plain('#fff')}<path d="M48 0h48v112h-48z" fill="#2458a6"/>`)}${flag(200, 188, 5, `${plain('#d8342b')}`)}${flag(306, 196, -5, `${plain('#f5c432')}<path d="M0 0h48v56h-48zM48 56h48v56h-48z" fill="#1e2a33"/>`)}${flag(410, 188, -14, `${plain('#2458a6')}<rect x="26" y="30" width="44" height="52" fill="#fff"/>`)}
    ${flag(94, 380, 14, `${plain('#f5c432')}<path d="M48 0h48v112h-48z" fill="#2458a6"/>`)}${flag(200, 410, 5, `${plain('#fff')}<path d="M36 0h24v112h-24zM0 44h96v24h-96z" fill="#2458a6"/>`)}${flag(306, 418, -5, `${plain('#d8342b')}<path d="M0 0 L96 112 H0Z" fill="#f5c432"/>`)}${flag(410, 410, -14, `${plain('#fff')}<rect x="24" y="28" width="48" height="56" fill="#d8342b"/>`)}`;
};

export const block = () => `${ground(300, 530, 120)}<path d="M300 66 C350 66 350 140 314 140 L314 176 H286 V140 C240 140 240 84 270 72" fill="none" stroke="#5d6e79" stroke-width="22" stroke-linecap="round"/>
  <path d="M300 160 C420 180 430 420 300 470 C170 420 180 180 300 160Z" fill="#b98a57"/><path d="M300 160 C230 180 216 420 300 470 C170 420 180 180 300 160Z" fill="#cfa878"/>
  <circle cx="300" cy="310" r="58" fill="#5d6e79"/><circle cx="300" cy="310" r="24" fill="${brass.mid}"/><path d="M242 310 C236 420 226 470 210 524M358 310 C364 420 374 470 390 524" fill="none" stroke="#efe6d2" stroke-width="24" stroke-linecap="round"/>
  <path d="M242 310 C236 420 226 470 210 524M358 310 C364 420 374 470 390 524" fill="none" stroke="#c9bb98" stroke-width="18" stroke-dasharray="4 14"/>`;

export const knife = () => `${ground(310, 470, 200)}<g transform="rotate(-18 300 320)"><path d="M236 290 L60 268 Q70 226 150 226 L262 238Z" fill="#cfd6da"/><path d="M236 290 L60 268 Q62 258 66 252 L250 270Z" fill="#aab4ba"/>
  <path d="M240 232 H480 Q534 240 534 286 Q530 330 476 334 H240 Q222 284 240 232Z" fill="#8a5a34"/><path d="M240 232 H480 Q520 238 530 266 H232 Q232 246 240 232Z" fill="#a9744a"/>
  <circle cx="276" cy="284" r="12" fill="${brass.mid}"/><circle cx="470" cy="284" r="12" fill="${brass.mid}"/><path d="M470 320 Q380 400 262 396 Q360 372 430 322Z" fill="#9aa5ab"/></g>`;

export const duffel = (colour) => `${ground(300, 528, 140)}<path d="M414 190 C520 260 500 430 420 494" fill="none" stroke="${shade(colour, -0.35)}" stroke-width="22"/>
  <path d="M176 190h248v318q-124 40 -248 0z" fill="${colour}"/><path d="M176 190h70v330q-40 -4 -70 -12z" fill="${shade(colour, 0.18)}"/>
  <path d="M176 196 C190 120 410 120 424 196 Q300 240 176 196Z" fill="${shade(colour, -0.2)}"/><path d="M210 178 C240 210 360 210 390 178" fill="none" stroke="${shade(colour, -0.4)}" stroke-width="8"/>
  ${[206, 252, 300, 348, 394].map((x) => `<circle cx="${x}" cy="${218 + (x === 206 || x === 394 ? 0 : x === 300 ? 14 : 10)}" r="11" fill="${brass.mid}"/>`).join('')}
  <path d="M246 186 C250 100 350 100 354 186" fill="none" stroke="#efe6d2" stroke-width="14"/><rect x="236" y="326" width="128" height="100" rx="8" fill="${shade(colour, -0.18)}"/><path d="M236 346h128" stroke="${shade(colour, 0.2)}" stroke-width="4" stroke-dasharray="10 7"/>`;
