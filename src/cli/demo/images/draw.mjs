// Draws the pictures of the demo market: a WebP file for each drawing, the same in directories for the smaller widths that the
// image processor would make, and a sheet of all to look at.
// Run in this directory: `npm install --no-save sharp && node draw.mjs` (add a file name to write the sheet, as PNG).

import { mkdirSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import * as clothing from './clothing.mjs';
import * as kitchen from './kitchen.mjs';
import { picture } from './kit.mjs';
import * as logos from './logos.mjs';
import * as sea from './sea.mjs';

const SEA = '#cfe3ea';
const SAND = '#f0e2c8';
const ROSE = '#f3d9d0';
const MOSS = '#dde6d0';
const MIST = '#dfe3ea';

/** The name of a file, the colour of its ground, and the drawing. */
const PICTURES = [
  ['rope-navy-10', SAND, sea.coil('#27486b', 4)],
  ['rope-navy-20', SAND, sea.coil('#27486b', 5)],
  ['rope-manila', SEA, sea.hank('#c79a5b')],
  ['cleat-150', SEA, sea.cleat('#b87a3d', 0.82)],
  ['cleat-200', SEA, sea.cleat('#b87a3d', 1)],
  ['splicing-kit', SAND, sea.splicing()],
  ['rope-fender', SEA, sea.fender('#c79a5b')],
  ['ships-bell', SEA, sea.bell()],
  ['rope-doormat', MOSS, sea.mat('#cda86c')],
  ['storm-lantern-red', MIST, sea.lantern('#c8372d')],
  ['storm-lantern-steel', SAND, sea.lantern('#8d9aa3')],
  ['solar-lantern', SEA, sea.solar()],
  ['oil-lamp', MOSS, sea.gimbal()],
  ['candles', ROSE, sea.candles()],
  ['life-ring', SEA, sea.lifebuoy()],
  ['compass', MOSS, sea.compass()],
  ['ships-clock', ROSE, sea.clock()],
  ['anchor', SAND, sea.anchor()],
  ['signal-flags', MIST, sea.flags()],
  ['pulley-block', SEA, sea.block()],
  ['rigging-knife', SAND, sea.knife()],
  ['duffel-navy', SAND, sea.duffel('#2d4f73')],
  ['duffel-natural', SEA, sea.duffel('#cdb58a')],
  ['sweater-navy', SAND, clothing.sweater('#2c4866')],
  ['sweater-oatmeal', SEA, clothing.sweater('#d2bf9c')],
  ['striped-shirt', SAND, clothing.stripes('#264a73')],
  ['cap-charcoal', ROSE, clothing.cap('#474d55')],
  ['cap-navy', SAND, clothing.cap('#2b4a70')],
  ['cap-rust', SEA, clothing.cap('#b5532f')],
  ['socks', MOSS, clothing.socks('#7b8794')],
  ['jacket-olive', SAND, clothing.jacket('#636b3f')],
  ['jacket-navy', ROSE, clothing.jacket('#2d4260')],
  ['souwester', SEA, clothing.hat('#f0bd2f')],
  ['bib-trousers', SEA, clothing.bib('#f0bd2f')],
  ['boots', ROSE, clothing.boots('#2f5a4c')],
  ['kettle-steel', ROSE, kitchen.kettle('#b9c4cb', false)],
  ['kettle-copper', MOSS, kitchen.kettle('#c47442', true)],
  ['kettle-gooseneck', SAND, kitchen.gooseneck('#2f3538')],
  ['mug-blue', SAND, kitchen.mug('#2f6690')],
  ['mug-red', MIST, kitchen.mug('#c4392f')],
  ['basket-500', ROSE, kitchen.basket(false, 0.86)],
  ['basket-1000', MOSS, kitchen.basket(false, 1.06)],
  ['basket-oval', SEA, kitchen.basket(true)],
  ['couche', ROSE, kitchen.couche()],
  ['starter-jar', SAND, kitchen.jar('#e3d3ab', 330, 'cloth')],
  ['loaf-tin-20', SAND, kitchen.tin(180)],
  ['loaf-tin-33', ROSE, kitchen.tin(224)],
  ['bread-oven', SAND, kitchen.oven()],
  ['baking-stone', MOSS, kitchen.stone()],
  ['brioche-moulds', ROSE, kitchen.moulds()],
  ['bread-lame', MOSS, kitchen.lame()],
  ['dough-scraper', SEA, kitchen.scraper()],
  ['dough-whisk', ROSE, kitchen.whisk()],
  ['rolling-pin', MIST, kitchen.pin()],
  ['kitchen-scale', SAND, kitchen.scale()],
  ['bowl-cream', MOSS, kitchen.bowl('#ece0c6')],
  ['bowl-indigo', SAND, kitchen.bowl('#3b4f8a')],
  ['dripper', ROSE, kitchen.dripper()],
  ['glass-teapot', SAND, kitchen.teapot()],
  ['flour-wholemeal', MOSS, kitchen.bag('#a8703a')],
  ['flour-rye', MIST, kitchen.bag('#5d6b4a')],
  ['flour-white', SEA, kitchen.bag('#3f7fae')],
  ['custard-mix', SEA, kitchen.sachet()],
  ['tea-tin-small', ROSE, kitchen.caddy('#9c3b35', 260)],
  ['tea-tin-large', SEA, kitchen.caddy('#9c3b35', 350)],
  ['apron-navy', SAND, clothing.apron('#31506f')],
  ['apron-natural', MOSS, clothing.apron('#d6c6a4')],
  ['oven-mitts', SEA, clothing.mitts('#b8503c')],
  ['bread-knife', SAND, kitchen.breadKnife()],
  ['bread-board', SEA, kitchen.board()],
  ['honey', MIST, kitchen.jar('#e0962c', 236, 'lid')],
  ['proofing-mat', MIST, kitchen.warmer()],
];

/** Several drawings side by side: each with its centre and its size. */
const together = (...all) => all.map(([body, x, y, size]) => `<g transform="translate(${x} ${y}) scale(${size}) translate(-300 -300)">${body}</g>`).join('');

/** Pictures of the categories. */
const CATEGORIES = [
  ['on-the-water', '#a9cfde', together([sea.anchor(), 330, 290, 0.86], [sea.lifebuoy(), 190, 400, 0.62])],
  ['clothing', '#ead3a8', together([clothing.jacket('#636b3f'), 220, 270, 0.74], [clothing.cap('#b5532f'), 430, 400, 0.56])],
  ['kitchen', '#e9bfae', together([kitchen.kettle('#c47442', true), 220, 280, 0.74], [kitchen.mug('#2f6690'), 440, 400, 0.5])],
  ['rope-rigging', '#b9d4de', together([sea.block(), 200, 300, 0.82], [sea.hank('#c79a5b'), 400, 320, 0.78])],
  ['lanterns', '#c9cfdb', together([sea.lantern('#c8372d'), 230, 290, 0.84], [sea.candles(), 430, 410, 0.52])],
  ['knitwear', '#ead9bd', together([clothing.sweater('#2c4866'), 250, 270, 0.76], [clothing.socks('#7b8794'), 440, 410, 0.54])],
  ['foul-weather', '#b3d2e0', together([clothing.bib('#f0bd2f'), 390, 310, 0.8], [clothing.hat('#f0bd2f'), 190, 330, 0.66])],
  ['bread-making', '#e5cba6', together([kitchen.board(), 300, 250, 0.86], [kitchen.pin(), 320, 440, 0.52])],
  ['tea-coffee', '#d3dfc2', together([kitchen.teapot(), 230, 280, 0.76], [kitchen.bowl('#3b4f8a'), 430, 420, 0.5])],
  ['pantry', '#e6cfc4', together([kitchen.bag('#a8703a'), 210, 290, 0.8], [kitchen.jar('#e0962c', 236, 'lid'), 410, 360, 0.66])],
  ['rope', '#e6d4b2', sea.coil('#27486b', 5)],
  ['deck-fittings', '#b9d4de', together([sea.bell(), 220, 270, 0.72], [sea.cleat('#b87a3d', 0.9), 400, 420, 0.62])],
  ['proofing', '#ead0c4', together([kitchen.basket(false), 240, 270, 0.8], [kitchen.jar('#e3d3ab', 330, 'cloth'), 440, 400, 0.56])],
  ['tins-stones', '#e2cfab', together([kitchen.oven(), 250, 260, 0.8], [kitchen.moulds(), 430, 430, 0.5])],
  ['bakers-tools', '#cbdcc0', together([kitchen.whisk(), 210, 300, 0.78], [kitchen.scraper(), 410, 360, 0.58])],
  ['kettles', '#e8c9bf', together([kitchen.gooseneck('#2f3538'), 220, 290, 0.7], [kitchen.kettle('#b9c4cb', false), 420, 380, 0.56])],
  ['cups-brewers', '#dccba8', together([kitchen.dripper(), 220, 290, 0.78], [kitchen.mug('#c4392f'), 430, 410, 0.5])],
  ['navigation', '#cfdac6', together([sea.compass(), 240, 270, 0.76], [sea.flags(), 380, 430, 0.58])],
  ['bags', '#e8d6b3', together([sea.duffel('#2d4f73'), 230, 280, 0.82], [sea.duffel('#cdb58a'), 420, 360, 0.64])],
  ['kitchen-linen', '#cfdde2', together([clothing.apron('#31506f'), 220, 290, 0.8], [clothing.mitts('#b8503c'), 430, 400, 0.54])],
];

/** Logos of the brands. */
const BRANDS = [
  ['halyard-hitch', logos.knot],
  ['lumen-point', logos.lighthouse],
  ['skerry-knit', logos.yarn],
  ['greywether', logos.sheep],
  ['kettlewright', logos.kettle],
  ['crumbwell', logos.loaf],
  ['oxbow-mill', logos.wheel],
  ['atelier-pommier', logos.apple],
  ['fahrwasser', logos.buoy],
  ['watt-und-wind', logos.wind],
  ['hearth-and-linen', logos.hearth],
  ['leafwell', logos.leaf],
];

const drawn = PICTURES.map(([name, ground, body]) => ({ name, svg: picture(ground, body) }))
  .concat(CATEGORIES.map(([slug, ground, body]) => ({ name: `category-${slug}`, svg: picture(ground, body) })))
  .concat(BRANDS.map(([slug, svg]) => ({ name: `brand-${slug}`, svg })));
/** Widths below the full one, in pixels. */
const SMALLER = [160, 320];
let bytes = 0;
const write = async (file, image) => {
  const webp = await image.webp({ quality: 70, effort: 6 }).toBuffer();
  bytes += webp.length;
  writeFileSync(file, webp);
};
SMALLER.forEach((width) => mkdirSync(`${width}`, { recursive: true }));
for (const { name, svg } of drawn) {
  const image = sharp(Buffer.from(svg));
  const { width: full } = await image.metadata();
  await write(`${name}.webp`, image.clone());
  for (const width of SMALLER.filter((width) => width < full)) {
    await write(`${width}/${name}.webp`, image.clone().resize(width));
  }
}
console.log(`${drawn.length} pictures, ${bytes} bytes`);

const [, , sheet] = process.argv;
if (sheet) {
  const columns = 12;
  const tiles = drawn.map(async ({ svg }, at) => ({
    input: await sharp(Buffer.from(svg)).resize(200).png().toBuffer(),
    left: (at % columns) * 204,
    top: Math.floor(at / columns) * 204,
  }));
  const rows = Math.ceil(drawn.length / columns);
  const canvas = sharp({ create: { width: columns * 204, height: rows * 204, channels: 3, background: '#ffffff' } });
  await canvas.composite(await Promise.all(tiles)).png().toFile(sheet);
}
