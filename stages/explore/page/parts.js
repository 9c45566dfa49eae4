// What several views are made of.

const title = (network) => networkOf(network).title;

const taken = (image, network) => classes[answer(image, network).predicted];

// one of a few, as links: each choice is an address of its own
function choice(label, options, current, changes) {
  return h(
    "div",
    { class: "choice", role: "group", "aria-label": label },
    h("span", { class: "label" }, label),
    h(
      "span",
      { class: "options" },
      options.map(({ name, title, color }) =>
        h(
          "a",
          { href: href(changes(name)), "aria-current": name === current ? "true" : null },
          color && h("i", { class: "dot", style: { background: color } }),
          title,
        ),
      ),
    ),
  );
}

const networkChoice = (label = "network", key = "network") =>
  choice(label, networks, state[key], (name) => ({ [key]: name, more: "1" }));

const splitChoice = (more = []) =>
  choice("images of", [...splits, ...more], state.split, (name) => ({ split: name, more: "1" }));

function select(label, key, options) {
  return h(
    "label",
    { class: "choice" },
    h("span", { class: "label" }, label),
    h(
      "select",
      { value: state[key], onChange: (event) => go({ [key]: event.target.value, more: "1" }) },
      options.map(([value, shown]) =>
        h("option", { value, selected: value === state[key] }, shown),
      ),
    ),
  );
}

const classOptions = (any) => [["", any], ...classes.map((name) => [name, name])];

const photo = (image, alt = `image ${image.index}, ${classes[image.actual]}`) =>
  h("img", { class: "photo", src: photoOf(image), alt, width: study.side, height: study.side });

const MOST_BARS = 12;

// the scores of all classes; of many classes the highest
function bars(scores, { actual, predicted, color, before }) {
  let shown = classes.map((_, label) => label);
  if (shown.length > MOST_BARS)
    shown = shown.sort((a, b) => scores[b] - scores[a]).slice(0, MOST_BARS);
  const told = shown.map((label) => `${classes[label]} ${score(scores[label])}`).join(", ");
  return h(
    "ul",
    { class: "bars", role: "img", "aria-label": `scores: ${told}` },
    shown.map((label) => {
      const role = label === actual ? "actual" : label === predicted ? "wrong" : "";
      return h(
        "li",
        { key: label, class: role },
        h("span", { class: "name", title: classes[label] }, classes[label]),
        h(
          "span",
          { class: "track" },
          h("i", { style: { width: `${100 * scores[label]}%`, background: color } }),
          before && h("b", { style: { left: `${100 * before[label]}%` } }),
        ),
        h("span", { class: "value" }, percent(scores[label], 0)),
      );
    }),
  );
}

const verdict = (image, network) => {
  const { predicted, confidence } = answer(image, network);
  const right = predicted === image.actual;
  return h(
    "span",
    { class: right ? "right" : "wrong" },
    right ? "✓ " : "✗ ",
    classes[predicted],
    " ",
    h("small", null, score(confidence)),
  );
};

// of the network that is looked at: those of another one would be taken for its
const hasMaps = (image) => image.maps[state.network] && h("span", { class: "badge" }, "heatmaps");

// a picture with what the given networks say of it; leads to the image by itself
function card(image, names, first) {
  return h(
    "a",
    {
      class: "card",
      key: image.index,
      href: href({ image: image.index }),
      "data-image": image.index,
    },
    h("div", { class: "of-card" }, photo(image), hasMaps(image)),
    h(
      "div",
      { class: "said" },
      h(
        "div",
        { class: "truth" },
        "true: ",
        h("strong", null, classes[image.actual]),
        h("small", { class: "index" }, ` #${image.index}`),
      ),
      names.map((name) =>
        h(
          "div",
          { key: name },
          names.length > 1 &&
            h("i", { class: "dot", style: { background: networkOf(name).color } }),
          verdict(image, name),
        ),
      ),
      bars(scoresOf(image, first), {
        actual: image.actual,
        predicted: answer(image, first).predicted,
        color: networkOf(first).color,
      }),
    ),
  );
}

const PER_PAGE = 24;

function cards(list, names, first = names[0], perPage = PER_PAGE) {
  if (!list.length) return h("p", { class: "none" }, "No image.");
  const shown = perPage * Number(state.more);
  return h(
    "div",
    null,
    h(
      "div",
      { class: "cards" },
      list.slice(0, shown).map((image) => card(image, names, first)),
    ),
    list.length > shown &&
      h(
        "a",
        { class: "button", href: href({ more: String(Number(state.more) + 1) }) },
        `Show more: ${shown} of ${list.length} are shown`,
      ),
  );
}

// small pictures in a row
const strip = (list, words = () => "") =>
  h(
    "div",
    { class: "strip" },
    list.map((image) =>
      h(
        "a",
        { key: image.index, href: href({ image: image.index }), "data-image": image.index },
        photo(image),
        h("small", null, words(image)),
        hasMaps(image),
      ),
    ),
  );

const leftOut = (split) => {
  const held = images.filter((image) => image.split === split.name).length;
  return (
    held < split.images &&
    h(
      "p",
      { class: "note" },
      `The page holds ${held.toLocaleString("en")} of the ${plural(split.images, "image")}: those with heatmaps, ` +
        "then those that a network gets wrong, then others, evenly spaced. Counts are of all.",
    )
  );
};
