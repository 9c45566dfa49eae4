// What hiding a part of an image does to the answer.

const FILL_WORDS = {
  mean: "mean colour",
  gray: "gray",
  black: "black",
  blur: "blurred",
  noise: "noise",
};

// what the section shows, as the address and the maps have it
function looked(image, maps) {
  const of = study.occlusion.network;
  const { patch, fill, measure } = settings();
  const { predicted } = answer(image, of);
  const label = image.mapped.includes(labelOf(state.target)) ? labelOf(state.target) : predicted;
  const map = maps[`${patch}_${fill}`];
  const whole = belowOf(image, of);
  const falls = measured(map, whole, label, image.mapped, measure === "class" ? "score" : measure);
  const place = placeOf(map, falls);
  const [before, now] = [softmax(whole), classes.map(() => 0)];
  const occluded = softmax(map.below(place.row, place.column));
  image.mapped.forEach((one, plane) => {
    now[one] = occluded[plane];
  });
  const fall = falls[place.row * map.columns + place.column];
  const first = now.indexOf(Math.max(...now));
  return {
    of,
    patch,
    fill,
    measure,
    predicted,
    label,
    map,
    falls,
    fall,
    place,
    before,
    now,
    first,
  };
}

// draws itself again once the maps are unpacked
function occlusion(image) {
  if (lineOf("maps", image.line) === null) return null;
  const maps = unpacked.get(image.index);
  if (!maps) {
    mapsOf(image).then(draw);
    return h("section", { class: "occlusion" }, h("h2", null, "Hide a part"));
  }
  const look = looked(image, maps);
  return h(
    "section",
    { class: "occlusion" },
    h("h2", null, "Hide a part: what does ", h("strong", null, title(look.of)), " need to see?"),
    patchControls(image, look),
    told(look),
    h(
      "div",
      { class: "three" },
      hiddenPart(image, look),
      mapBeside(image, look),
      scoresThere(image, look),
    ),
    everyMap(image, look),
  );
}

function patchControls(image, { patch, fill, measure, predicted }) {
  const { patches, fills } = study.occlusion;
  const sizes = patches.map((side) => ({ name: side, title: `${side} × ${side}` }));
  const ways = fills.map((name) => ({ name, title: FILL_WORDS[name] ?? name }));
  const targets = image.mapped.map((one) => [one === predicted ? "" : classes[one], classes[one]]);
  return h(
    "div",
    { class: "controls" },
    choice("patch", sizes, patch, (side) => ({ patch: side, x: "", y: "" })),
    choice("hidden by", ways, fill, (name) => ({ fill: name })),
    choice("map of", MEASURES, measure, (name) => ({ measure: name })),
    measure !== "class" && select("class", "target", targets),
  );
}

function told({ measure, predicted, label, fall, before, now, first }) {
  const nats = `${fall < 0 ? "rise" : "fall"} by ${Math.abs(fall).toFixed(1)} nats`;
  return h(
    "p",
    { class: "headline", "aria-live": "polite" },
    "With this part hidden, the score of ",
    h("strong", null, classes[label]),
    ` goes from ${score(before[label])} to ${score(now[label])}`,
    measure === "odds" && ` (log-odds ${nats})`,
    "; ",
    first === predicted
      ? "the answer stays."
      : ["the answer becomes ", h("strong", null, classes[first]), "."],
  );
}

const hiddenPart = (image, { map, place, fill }) =>
  h(
    "figure",
    null,
    stage(
      map,
      place,
      "image; arrow keys move the patch",
      photo(image),
      patchOver(image, map, place, fill),
    ),
    h("figcaption", null, "Drag the patch, or move it with the arrow keys."),
  );

const mapBeside = (image, { patch, fill, measure, label, map, place, falls }) =>
  h(
    "figure",
    null,
    stage(
      map,
      place,
      "map; arrow keys move the patch",
      mapCanvas(image, { patch, fill, measure, label }),
      patchOver(image, map, place, fill, true),
    ),
    h("figcaption", null, legend(measure, largest(falls), image)),
  );

const scoresThere = (image, { of, now, before, first }) =>
  h(
    "figure",
    null,
    bars(now, { actual: image.actual, predicted: first, color: networkOf(of).color, before }),
    h("figcaption", null, "Scores with the part hidden; the line marks the whole image's."),
  );

// small maps, a row a size and a column a fill; one leads to its own
function everyMap(image, { patch, fill, measure, label }) {
  const { patches, fills } = study.occlusion;
  const words = (name) => FILL_WORDS[name] ?? name;
  const small = (side, name) =>
    h(
      "a",
      {
        key: `${side} ${name}`,
        href: href({ patch: side, fill: name, x: "", y: "" }),
        "aria-label": `patch ${side}, ${words(name)}`,
        "aria-current": side === patch && name === fill ? "true" : null,
      },
      mapCanvas(image, { patch: side, fill: name, measure, label }),
    );
  const columns = { gridTemplateColumns: `auto repeat(${fills.length}, minmax(0, 96px))` };
  return h(
    "div",
    null,
    h("h3", null, "Every size and fill"),
    measure === "odds" &&
      h(
        "p",
        { class: "note" },
        "Each map has a scale of its own: the darkest place is where the log-odds move most.",
      ),
    h(
      "div",
      { class: "every", style: columns },
      h("span"),
      fills.map((name) => h("span", { key: name, class: "head" }, words(name))),
      patches.map((side) => [
        h("span", { key: side, class: "head" }, side),
        fills.map((name) => small(side, name)),
      ]),
    ),
  );
}

function legend(measure, limit, image) {
  if (measure === "class")
    return h(
      "span",
      { class: "classes" },
      image.mapped.map((label) =>
        h(
          "span",
          { key: label },
          h("i", { class: "dot", style: { background: study.colors.classes[label] } }),
          classes[label],
        ),
      ),
    );
  const end = measure === "odds" ? `${limit.toFixed(1)} nats` : "1";
  return h(
    "span",
    { class: "legend" },
    h("span", null, `falls by ${end}`),
    h("i", {
      style: {
        background: `linear-gradient(to right, ${[...study.colors.falls].reverse().join()})`,
      },
    }),
    h("span", null, `rises by ${end}`),
  );
}
