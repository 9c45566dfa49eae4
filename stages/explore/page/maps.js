// Occlusion maps: how far the answer moves with the patch at each place (Zeiler and Fergus 2014).

const MEASURES = [
  { name: "log_odds", title: "log-odds" },
  { name: "score", title: "score" },
  { name: "class", title: "most probable class" },
];

const everyMaps = Object.fromEntries(study.occlusion.map((set) => [set.network, set]));

// of some maps by network, whose are shown: those of the network that is looked at, if it has any
const mapsBy = (maps) => (maps[state.network] ? state.network : Object.keys(maps)[0]);

const settings = ({ patches, fills, middle }) => {
  return {
    patch: patches.includes(Number(state.patch)) ? Number(state.patch) : middle,
    fill: fills.includes(state.fill) ? state.fill : fills[0],
    measure: MEASURES.some(({ name }) => name === state.measure) ? state.measure : DEFAULTS.measure,
  };
};

// what is drawn of a map: how far the score or the log-odds fall, or which class comes first
function measured(map, whole, label, mapped, measure) {
  const plane = mapped.indexOf(label);
  const before = measure === "log_odds" ? logOdds(whole, label) : softmax(whole)[label];
  return Array.from({ length: map.rows * map.columns }, (_, place) => {
    const below = map.below(Math.floor(place / map.columns), place % map.columns);
    if (measure === "class")
      return mapped[below.indexOf(Math.min(...mapped.map((_, own) => below[own])))];
    return before - (measure === "log_odds" ? logOdds(below, plane) : softmax(below)[plane]);
  });
}

// the scale of log-odds is each map's own: what a patch does varies too much from fill to fill
const largest = (values) => Math.max(1e-9, ...values.map(Math.abs));

// another answer than that to the whole image stands out
function colorOf(value, measure, limit, kept) {
  if (measure === "class")
    return { color: rgb(study.colors.classes[value]), density: value === kept ? 0.35 : 0.85 };
  const place = measure === "log_odds" ? 0.5 + value / limit / 2 : symlog(value);
  return { color: rgb(shade(study.colors.falls, place)), density: 0.85 * Math.abs(2 * place - 1) };
}

// each pixel takes the value of the nearest centre of the patch, up to half a stride away
function nearest(count, { patch, stride }) {
  return Array.from({ length: study.side }, (_, pixel) => {
    const place = Math.min(Math.max(Math.round((pixel - (patch - 1) / 2) / stride), 0), count - 1);
    return Math.abs(pixel - place * stride - (patch - 1) / 2) <= Math.max(stride / 2, 0.5)
      ? place
      : -1;
  });
}

const grays = new Map();
async function grayOf(image) {
  if (!grays.has(image.index)) {
    const picture = new Image();
    picture.src = photoOf(image);
    await picture.decode();
    const canvas = Object.assign(document.createElement("canvas"), {
      width: study.side,
      height: study.side,
    });
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    const { data } = context.getImageData(0, 0, study.side, study.side);
    grays.set(
      image.index,
      Float32Array.from(
        { length: study.side ** 2 },
        (_, pixel) =>
          0.299 * data[4 * pixel] + 0.587 * data[4 * pixel + 1] + 0.114 * data[4 * pixel + 2],
      ),
    );
  }
  return grays.get(image.index);
}

// the map over the grey image, which is left as it is where the patch's centre never is
function paint(canvas, map, values, measure, kept, gray) {
  const side = study.side;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(side, side);
  const [rows, columns] = [nearest(map.rows, map), nearest(map.columns, map)];
  const limit = largest(values);
  const colors = values.map((value) => colorOf(value, measure, limit, kept));
  const none = { color: [0, 0, 0], density: 0 };
  for (let pixel = 0; pixel < side * side; pixel++) {
    const [row, column] = [rows[Math.floor(pixel / side)], columns[pixel % side]];
    const { color, density } = row < 0 || column < 0 ? none : colors[row * map.columns + column];
    for (let channel = 0; channel < 3; channel++)
      pixels.data[4 * pixel + channel] = (1 - density) * gray[pixel] + density * color[channel];
    pixels.data[4 * pixel + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
}

// where the images are that a network has maps of: those of the galleries
const mappedSplit = (network) => images.find((image) => image.maps[network])?.split;

// one map after the other, so that the page answers in between
let atWork = Promise.resolve();

// a canvas with one map of an image
function mapCanvas(image, { of, patch, fill, measure, label }) {
  const { mapped, line } = image.maps[of];
  const drawInto = (canvas) => {
    if (!canvas || lineOf("maps", line) === null) return;
    const drawn = [image.index, of, patch, fill, measure, label].join();
    if (canvas.dataset.drawn === drawn) return;
    canvas.dataset.drawn = drawn;
    atWork = atWork.then(
      () => canvas.isConnected && canvas.dataset.drawn === drawn && drawMap(canvas),
    );
  };
  const drawMap = async (canvas) => {
    const map = (await mapsOf(image, of))[`${patch}_${fill}`];
    const values = measured(map, belowOf(image, of), label, mapped, measure);
    paint(canvas, map, values, measure, answer(image, of).predicted, await grayOf(image));
  };
  return h("canvas", { width: study.side, height: study.side, class: "map", ref: drawInto });
}

// whether the network looks at the object, in numbers, where it is known where that is
function pointing(of) {
  const found = everyMaps[of].pointing;
  return (
    found &&
    h(
      "p",
      null,
      "The place that it needs most, where hiding costs its answer most, lies on the object in ",
      Object.entries(found).map(([answers, { hits, images, by_chance }], place) => [
        place > 0 && " and ",
        h("strong", null, `${hits} of the ${plural(images, "image")}`),
        ` that it gets ${answers}`,
        ` (a place drawn at random: ${Math.round(by_chance)})`,
      ]),
      ".",
    )
  );
}

// of many images, each beside where its own answer depends on what it shows
function mapCards(list) {
  const of = mapsBy(everyMaps);
  const { patch, fill } = settings(everyMaps[of]);
  const shown = PER_PAGE * Number(state.more);
  const elsewhere = mappedSplit(of);
  if (!list.length && state.split !== elsewhere && state.split !== "all")
    return h(
      "p",
      { class: "headline" },
      `There are heatmaps of ${splitOf(elsewhere).title} images alone. `,
      h("a", { href: href({ split: elsewhere }) }, "Show them"),
    );
  return h(
    "div",
    null,
    h(
      "p",
      null,
      "Right of each image, the places that ",
      h("strong", null, title(of)),
      ` needs for its answer (red), found by hiding ${patch} × ${patch} pixels at a time (${FILL_WORDS[fill] ?? fill}). `,
      h("strong", null, "Is the red on the object, or on its background?"),
      " Blue places speak against the answer. The darkest place of each map is where the log-odds of the answer move most, be it much or little. Choose an image to move the patch yourself.",
    ),
    pointing(of),
    h(
      "p",
      null,
      ["right", "wrong"].map((answers) => [
        h("a", { href: href({ answers, more: "1" }) }, `Those it gets ${answers}`),
        " · ",
      ]),
      h("a", { href: href({ answers: "", more: "1" }) }, "all"),
    ),
    !list.length && h("p", { class: "none" }, "None of these has heatmaps."),
    h(
      "div",
      { class: "cards" },
      list
        .slice(0, shown)
        .map((image) =>
          h(
            "a",
            {
              class: "card of-maps",
              key: image.index,
              href: href({ image: image.index }),
              "data-image": image.index,
            },
            photo(image),
            mapCanvas(image, {
              ...{ of, patch, fill, measure: "log_odds" },
              label: answer(image, of).predicted,
            }),
            h("div", { class: "truth" }, "true: ", h("strong", null, classes[image.actual])),
            h("div", null, verdict(image, of)),
          ),
        ),
    ),
    list.length > shown &&
      h(
        "a",
        { class: "button", href: href({ more: String(Number(state.more) + 1) }) },
        `Show more: ${shown} of ${list.length} are shown`,
      ),
  );
}
