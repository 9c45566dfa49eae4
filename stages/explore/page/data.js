// What the page holds: the study as JSON, scores, photographs and maps.

const { h, render } = preact;

const text = (id) => document.getElementById(id)?.textContent ?? "";

function bytesOf(base64) {
  const decoded = atob(base64);
  const bytes = new Uint8Array(decoded.length);
  for (let place = 0; place < bytes.length; place++) bytes[place] = decoded.charCodeAt(place);
  return bytes;
}

const study = JSON.parse(text("study"));
const classes = study.classes;
const networks = study.networks;
const splits = study.splits;
const networkOf = (name) => networks.find((network) => network.name === name);
const splitOf = (name) => splits.find((split) => split.name === name);

// how many nats each code means, see `codes` in stages/explore/encode.py
const nats = (steps) =>
  Float64Array.from({ length: steps + 1 }, (_, code) =>
    Math.expm1((code / steps) * Math.log1p(study.reach)),
  );
const FINE = nats(study.fine);
const COARSE = nats(study.coarse);

// scores of all classes from how far their logits lie below the highest
function softmax(below) {
  const exponentials = below.map((value) => Math.exp(-value));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}

// ln(p / (1 - p)) of one class, without the rounding of a p near 1
function logOdds(below, target) {
  let others = 0;
  below.forEach((value, label) => {
    if (label !== target) others += Math.exp(-value);
  });
  return -below[target] - Math.log(others);
}

const codes = new Uint16Array(bytesOf(text("scores")).buffer);

// by the network's name, for each image: what it answers, and how sure it is
const answers = Object.fromEntries(
  networks.map(({ name }, network) => [
    name,
    study.images.map((_, image) => {
      const start = (network * study.images.length + image) * classes.length;
      const own = codes.subarray(start, start + classes.length);
      let sum = 0;
      for (const code of own) sum += Math.exp(-FINE[code]);
      return { predicted: own.indexOf(0), confidence: 1 / sum };
    }),
  ]),
);

let linesBefore = 0;
const images = study.images.map(([index, split, actual, maps], place) => ({
  place,
  index,
  split: splits[split].name,
  actual,
  // by network: of which set its maps are, and the classes that they hold before all others together
  maps: Object.fromEntries(
    maps.map(([number, mapped]) => {
      const set = study.occlusion[number];
      return [set.network, { set, mapped, line: linesBefore++ }];
    }),
  ),
}));
const imageOf = (index) => images.find((image) => image.index === Number(index));

const answer = (image, network) => answers[network][image.place];

const isRight = (image, network) => answer(image, network).predicted === image.actual;

function belowOf(image, network) {
  const place = networks.indexOf(networkOf(network)) * images.length + image.place;
  const own = codes.subarray(place * classes.length, (place + 1) * classes.length);
  return Array.from(own, (code) => FINE[code]);
}

const scoresOf = (image, network) => softmax(belowOf(image, network));

const mostConfidentFirst = (network) => (first, second) =>
  answer(second, network).confidence - answer(first, network).confidence ||
  first.index - second.index;

// the photographs and maps follow the script, so that the page is drawn before they have arrived
const lines = {};
function lineOf(id, number) {
  if (document.readyState === "loading") return null;
  lines[id] ??= text(id).split("\n");
  return lines[id][number];
}

function photoOf(image) {
  const scan = lineOf("images", image.place);
  return scan ? `data:image/jpeg;base64,${study.header}${scan}` : undefined;
}

// Reads the numbers of a gray PNG. A canvas would do it, too, but some browsers add noise to what
// is read from one, so that no page can tell a visitor by it.
async function readPng(bytes) {
  const view = new DataView(bytes.buffer);
  const parts = [];
  let width, height;
  for (let at = 8; at < bytes.length; at += 12 + view.getUint32(at)) {
    const content = bytes.subarray(at + 8, at + 8 + view.getUint32(at));
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (kind === "IHDR") [width, height] = [view.getUint32(at + 8), view.getUint32(at + 12)];
    if (kind === "IDAT") parts.push(content);
  }
  const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  const rows = new Uint8Array(await new Response(stream).arrayBuffer());
  return { width, values: unfilter(rows, width, height) };
}

// each row begins with how it was made from its neighbours (PNG specification, section 9)
function unfilter(rows, width, height) {
  const values = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (width + 1)];
    for (let x = 0; x < width; x++) {
      const place = y * width + x;
      const left = x ? values[place - 1] : 0;
      const up = y ? values[place - width] : 0;
      const corner = x && y ? values[place - width - 1] : 0;
      let guess = 0;
      if (filter === 1) guess = left;
      else if (filter === 2) guess = up;
      else if (filter === 3) guess = (left + up) >> 1;
      else if (filter === 4) guess = paeth(left, up, corner);
      values[place] = rows[y * (width + 1) + 1 + x] + guess;
    }
  }
  return values;
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const a = Math.abs(guess - left);
  const b = Math.abs(guess - up);
  const c = Math.abs(guess - corner);
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

// a network's maps of an image: for each patch and fill, how far each class lies below the highest
const unpacked = new Map();
const keyOf = (image, network) => `${image.index} ${network}`;
async function mapsOf(image, network) {
  const key = keyOf(image, network);
  if (!unpacked.has(key)) {
    const { set, mapped, line } = image.maps[network];
    const { width, values } = await readPng(bytesOf(lineOf("maps", line)));
    const { patches, fills, strides, grids } = set;
    const maps = {};
    const planes = [
      ...mapped.keys(),
      ...(mapped.length < classes.length ? [mapped.length] : []),
    ];
    let top = 0;
    patches.forEach((patch, p) =>
      fills.forEach((fill, f) => {
        const [rows, columns] = grids[p * fills.length + f];
        const first = top;
        const below = (row, column) =>
          planes.map((plane) => COARSE[values[(first + plane * rows + row) * width + column]]);
        maps[`${patch}_${fill}`] = { patch, stride: strides[fill], rows, columns, below };
        top += rows * planes.length;
      }),
    );
    unpacked.set(key, maps);
  }
  return unpacked.get(key);
}
