// An image by itself: what all networks say of it, and what hiding a part of it does.

const FILL_WORDS = { mean: "mean colour", gray: "gray", black: "black", blur: "blurred", noise: "noise" };

// noise of the page's own: only its kind is that of the stage
const noise = (() => {
  let made;
  return () => {
    if (made) return made;
    const canvas = Object.assign(document.createElement("canvas"), { width: study.side, height: study.side });
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(study.side, study.side);
    let seed = 1;
    pixels.data.forEach((_, place) => {
      seed = (seed * 16807) % 2147483647;
      pixels.data[place] = place % 4 === 3 ? 255 : seed % 256;
    });
    context.putImageData(pixels, 0, 0);
    return (made = canvas.toDataURL());
  };
})();

// a fill without a name is a grey value or a colour, such as "128" or "255-0-10"
const colorOfFill = (fill) => ({ mean: study.mean, gray: "#808080", black: "#000000" })[fill]
  ?? `rgb(${(fill.includes("-") ? fill.split("-") : [fill, fill, fill]).join()})`;

// the place of the patch: from the address, else where the score falls furthest
function placeOf(map, values) {
  const worst = values.indexOf(Math.max(...values));
  const within = (text, count, fallback) => text === "" || !Number.isFinite(Number(text))
    ? fallback : Math.min(Math.max(Math.round(Number(text) / map.stride), 0), count - 1);
  return {
    row: within(state.y, map.rows, Math.floor(worst / map.columns)),
    column: within(state.x, map.columns, worst % map.columns),
  };
}

function moveTo(map, row, column) {
  const clamp = (value, count) => String(Math.min(Math.max(value, 0), count - 1) * map.stride);
  slide({ y: clamp(row, map.rows), x: clamp(column, map.columns) });
}

// the picture on which the patch is moved, by pointer or arrow keys
function stage(map, place, label, ...content) {
  const follow = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const at = (position, length) => Math.round((position / length * study.side - map.patch / 2) / map.stride);
    moveTo(map, at(event.clientY - box.top, box.height), at(event.clientX - box.left, box.width));
  };
  return h("div", {
    class: "stage", tabIndex: 0, role: "application", "aria-label": label,
    onPointerDown: (event) => { event.currentTarget.setPointerCapture(event.pointerId); follow(event); },
    onPointerMove: (event) => { if (event.buttons) follow(event); },
    onKeyDown: (event) => {
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      moveTo(map, place.row + step[0], place.column + step[1]);
    },
  }, content);
}

// the blur is one of 8 pixels of the image's 96, in style.css; see stages/occlusion/fills.py
function patchOver(image, map, { row, column }, fill, frame) {
  const share = (pixels) => `${(100 * pixels) / study.side}%`;
  const [top, left] = [row * map.stride, column * map.stride];
  const box = { top: share(top), left: share(left), width: share(map.patch), height: share(map.patch) };
  const inset = `inset(${share(top)} ${share(study.side - left - map.patch)} ${share(study.side - top - map.patch)} ${share(left)})`;
  const hidden = fill === "blur" ? h("div", { class: "clip", style: { clipPath: inset } }, h("img", { src: photoOf(image), alt: "", class: "blurred" }))
    : fill === "noise" ? h("img", { class: "clip noise", alt: "", src: noise(), style: { clipPath: inset } })
      : h("div", { class: "patch", style: { ...box, background: colorOfFill(fill) } });
  return [!frame && hidden, h("div", { class: "patch frame", style: box })];
}

// Draws the section again once the maps are unpacked.
function occlusion(image) {
  const of = mapsBy(image.maps);
  const { set, mapped, line } = image.maps[of];
  if (lineOf("maps", line) === null) return null;
  const maps = unpacked.get(keyOf(image, of));
  if (!maps) {
    mapsOf(image, of).then(draw);
    return h("section", { class: "occlusion" }, h("h2", null, "Hide a part"));
  }
  const { patch, fill, measure } = settings(set);
  const { predicted } = answer(image, of);
  const label = mapped.includes(labelOf(state.target)) ? labelOf(state.target) : predicted;
  const map = maps[`${patch}_${fill}`];
  const whole = belowOf(image, of);
  const falls = measured(map, whole, label, mapped, measure === "class" ? "score" : measure);
  const place = placeOf(map, falls);
  const [before, now] = [softmax(whole), classes.map(() => 0)];
  const occluded = softmax(map.below(place.row, place.column));
  mapped.forEach((one, plane) => { now[one] = occluded[plane]; });
  const fall = falls[place.row * map.columns + place.column];
  const first = now.indexOf(Math.max(...now));
  const drawn = { of, measure, label };
  return h("section", { class: "occlusion" },
    h("h2", null, "Hide a part: what does ", h("strong", null, title(of)), " need to see?"),
    h("div", { class: "controls" },
      Object.keys(image.maps).length > 1
        && choice("network", Object.keys(image.maps).map((name) => ({ name, title: title(name) })), of, (name) => ({ network: name, x: "", y: "" })),
      choice("patch", set.patches.map((side) => ({ name: side, title: `${side} × ${side}` })), patch, (side) => ({ patch: side, x: "", y: "" })),
      choice("hidden by", set.fills.map((name) => ({ name, title: FILL_WORDS[name] ?? name })), fill, (name) => ({ fill: name })),
      choice("map of", MEASURES, measure, (name) => ({ measure: name })),
      measure !== "class" && select("class", "target", mapped.map((one) => [one === predicted ? "" : classes[one], classes[one]]))),
    h("p", { class: "headline", "aria-live": "polite" },
      `With this part hidden, the score of `, h("strong", null, classes[label]), ` goes from ${score(before[label])} to ${score(now[label])}`,
      measure === "odds" && ` (log-odds ${fall < 0 ? "rise" : "fall"} by ${Math.abs(fall).toFixed(1)} nats)`, "; ",
      first === predicted ? "the answer stays." : h("span", null, "the answer becomes ", h("strong", null, classes[first]), ".")),
    h("div", { class: "three" },
      h("figure", null, stage(map, place, "image; arrow keys move the patch",
        photo(image), patchOver(image, map, place, fill)),
        h("figcaption", null, "Drag the patch, or move it with the arrow keys.")),
      h("figure", null, stage(map, place, "map; arrow keys move the patch",
        mapCanvas(image, { patch, fill, ...drawn }), patchOver(image, map, place, fill, true)),
        h("figcaption", null, legend(measure, largest(falls), mapped))),
      h("figure", null, bars(now, { actual: image.actual, predicted: first, color: networkOf(of).color, before }),
        h("figcaption", null, "Scores with the part hidden; the line marks the whole image's."))),
    h("h3", null, "Every size and fill"),
    measure === "odds" && h("p", { class: "note" }, "Each map has a scale of its own: the darkest place is where the log-odds move most."),
    h("div", { class: "every", style: { gridTemplateColumns: `auto repeat(${set.fills.length}, minmax(0, 96px))` } },
      h("span"), set.fills.map((name) => h("span", { key: name, class: "head" }, FILL_WORDS[name] ?? name)),
      set.patches.map((side) => [h("span", { key: side, class: "head" }, side),
        set.fills.map((name) => h("a", {
          key: `${side} ${name}`, href: href({ patch: side, fill: name, x: "", y: "" }), "aria-label": `patch ${side}, ${FILL_WORDS[name] ?? name}`,
          "aria-current": side === patch && name === fill ? "true" : null,
        }, mapCanvas(image, { patch: side, fill: name, ...drawn })))])));
}

function legend(measure, limit, mapped) {
  if (measure === "class")
    return h("span", { class: "classes" }, mapped.map((label) =>
      h("span", { key: label }, h("i", { class: "dot", style: { background: study.colors.classes[label] } }), classes[label])));
  const end = measure === "odds" ? `${limit.toFixed(1)} nats` : "1";
  return h("span", { class: "legend" },
    h("span", null, `falls by ${end}`),
    h("i", { style: { background: `linear-gradient(to right, ${[...study.colors.falls].reverse().join()})` } }),
    h("span", null, `rises by ${end}`));
}

function imageView(image) {
  return h("div", null,
    h("p", null, h("a", { href: href(NO_IMAGE) }, "← back (Esc)")),
    h("div", { class: "two image" },
      h("figure", null, photo(image),
        h("figcaption", null, "true class: ", h("strong", null, classes[image.actual]), h("br"),
          h("span", { class: "note" }, `${splitOf(image.split).title} image, number ${image.index} of the data set`))),
      h("div", { class: "answers" }, networks.map(({ name, color }) =>
        h("section", { key: name, style: { borderTopColor: color } },
          h("h3", null, title(name)), h("p", null, verdict(image, name)),
          bars(scoresOf(image, name), { actual: image.actual, predicted: answer(image, name).predicted, color }))))),
    Object.keys(image.maps).length > 0 && occlusion(image));
}
