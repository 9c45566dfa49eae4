// What hiding a part of an image does to the answer.

const FILL_WORDS = {
  mean: "mean colour",
  gray: "gray",
  black: "black",
  blur: "blurred",
  noise: "noise",
};

// what the section shows, as the address and the maps have it
function looked(image, of, maps) {
  const { set, mapped } = image.maps[of];
  const { patch, fill, measure } = settings(set);
  const { predicted } = answer(image, of);
  const label = mapped.includes(labelOf(state.target)) ? labelOf(state.target) : predicted;
  const map = maps[`${patch}_${fill}`];
  const whole = belowOf(image, of);
  const falls = measured(map, whole, label, mapped, measure === "class" ? "score" : measure);
  const place = placeOf(map, falls);
  const [before, now] = [softmax(whole), classes.map(() => 0)];
  const occluded = softmax(map.below(place.row, place.column));
  mapped.forEach((one, plane) => {
    now[one] = occluded[plane];
  });
  const fall = falls[place.row * map.columns + place.column];
  const first = now.indexOf(Math.max(...now));
  return {
    of,
    set,
    mapped,
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
  const of = mapsBy(image.maps);
  if (lineOf("maps", image.maps[of].line) === null) return null;
  const maps = unpacked.get(keyOf(image, of));
  if (!maps) {
    mapsOf(image, of).then(draw);
    return h("section", { class: "occlusion" }, h("h2", null, "Hide a part"));
  }
  const look = looked(image, of, maps);
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

function patchControls(image, { of, set: { patches, fills }, mapped, ...look }) {
  const { patch, fill, measure, predicted } = look;
  const whose = Object.keys(image.maps).map((name) => ({ name, title: title(name) }));
  const sizes = patches.map((side) => ({ name: side, title: `${side} × ${side}` }));
  const ways = fills.map((name) => ({ name, title: FILL_WORDS[name] ?? name }));
  const targets = mapped.map((one) => [one === predicted ? "" : classes[one], classes[one]]);
  return h(
    "div",
    { class: "controls" },
    whose.length > 1 && choice("network", whose, of, (name) => ({ network: name, x: "", y: "" })),
    choice("patch", sizes, patch, (side) => ({ patch: side, x: "", y: "" })),
    ways.length > 1 && choice("hidden by", ways, fill, (name) => ({ fill: name })),
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
    measure === "log_odds" && ` (log-odds ${nats})`,
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

const mapBeside = (image, { of, patch, fill, measure, label, mapped, map, place, falls }) =>
  h(
    "figure",
    null,
    stage(
      map,
      place,
      "map; arrow keys move the patch",
      mapCanvas(image, { of, patch, fill, measure, label }),
      patchOver(image, map, place, fill, true),
    ),
    h(
      "figcaption",
      null,
      legend(measure, largest(falls), mapped),
      "The border stays gray: the centre of the patch is never there.",
    ),
  );

const scoresThere = (image, { of, now, before, first }) =>
  h(
    "figure",
    null,
    bars(now, { actual: image.actual, predicted: first, color: networkOf(of).color, before }),
    h("figcaption", null, "Scores with the part hidden; the line marks the whole image's."),
  );

// small maps, a row a size and a column a fill; one leads to its own
function everyMap(image, { of, set: { patches, fills }, patch, fill, measure, label }) {
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
      mapCanvas(image, { of, patch: side, fill: name, measure, label }),
    );
  const columns = { gridTemplateColumns: `max-content repeat(${fills.length}, minmax(0, 96px))` };
  return h(
    "div",
    null,
    h("h3", null, fills.length > 1 ? "Every size and fill" : "Every size"),
    measure === "log_odds" &&
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

function legend(measure, limit, mapped) {
  if (measure === "class")
    return h(
      "span",
      { class: "classes" },
      mapped.map((label) =>
        h(
          "span",
          { key: label },
          h("i", { class: "dot", style: { background: study.colors.classes[label] } }),
          classes[label],
        ),
      ),
    );
  const end = measure === "log_odds" ? `${limit.toFixed(1)} nats` : "1";
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
