// Confusion matrix of a network and split; the images of a cell.

const MOST_CLASSES = 30; // of a matrix: more would be too small to read and to hit

const countsOf = (split, network) => {
  const counts = classes.map(() => classes.map(() => 0));
  for (const [actual, predicted, count] of split.confusion[network]) counts[actual][predicted] = count;
  return counts;
};

const sum = (values) => values.reduce((total, value) => total + value, 0);

const accuracyOf = (counts) => sum(counts.map((row, label) => row[label])) / sum(counts.map(sum));

// how often any two classes are taken for one another, either way
function confusedPairs(counts) {
  const pairs = [];
  counts.forEach((row, one) => row.slice(0, one).forEach((_, other) => {
    const mistakes = counts[one][other] + counts[other][one];
    // the larger direction first
    const [a, b] = counts[one][other] > counts[other][one] ? [one, other] : [other, one];
    if (mistakes) pairs.push({ a, b, mistakes, of: sum(counts[one]) + sum(counts[other]) });
  }));
  return pairs;
}

const cellHref = (actual, predicted) =>
  href({ view: "confusion", actual: classes[actual], predicted: classes[predicted], more: "1" });

function matrix(counts) {
  const errors = (label) => sum(counts[label]) + sum(counts.map((row) => row[label])) - 2 * counts[label][label];
  const shown = classes.map((_, label) => label)
    .sort((one, other) => errors(other) - errors(one)).slice(0, MOST_CLASSES).sort((one, other) => one - other);
  const chosen = [labelOf(state.actual), labelOf(state.predicted)];
  // one stop of the tab key: the arrow keys go from cell to cell
  const [stopRow, stopColumn] = shown.includes(chosen[0]) && shown.includes(chosen[1]) ? chosen : [shown[0], shown[0]];
  const cell = (actual, predicted) => {
    const count = counts[actual][predicted];
    const share = count / Math.max(sum(counts[actual]), 1);
    const isChosen = actual === chosen[0] && predicted === chosen[1];
    return h("td", { key: predicted, role: "gridcell", class: actual === predicted ? "diagonal" : null },
      h("a", {
        href: cellHref(actual, predicted),
        class: count ? null : "empty",
        style: { background: shade(study.colors.counts, share), color: share > 0.5 ? "#fff" : "#000" },
        "aria-current": isChosen ? "true" : null,
        "aria-label": `${classes[actual]} taken for ${classes[predicted]}: ${count}, ${percent(share, 0)}`,
        title: `${count} of ${plural(sum(counts[actual]), "image")} of ${classes[actual]} taken for ${classes[predicted]}`,
        tabIndex: actual === stopRow && predicted === stopColumn ? 0 : -1,
      }, count ? [h("span", null, count), h("small", null, percent(share, 0))] : " "));
  };
  return h("div", { class: "of-matrix" },
    h("table", { class: shown.length > 14 ? "matrix dense" : "matrix", role: "grid", "aria-label": "confusion matrix", onKeyDown: moveInGrid },
      h("thead", null, h("tr", { role: "row" }, h("td", { class: "corner" }, "true class ↓"),
        shown.map((label) => h("th", { key: label, role: "columnheader", scope: "col" },
          h("span", { title: classes[label] }, classes[label]))))),
      h("tbody", null, shown.map((actual) => h("tr", { key: actual, role: "row" },
        h("th", { role: "rowheader", scope: "row", title: classes[actual] }, classes[actual]),
        shown.map((predicted) => cell(actual, predicted)))))),
    h("p", { class: "note" }, "Rows: true class. Columns: prediction. Number and share of the true class; ",
      "click a cell, or walk with the arrow keys and press Enter.",
      shown.length < classes.length && ` The ${shown.length} of ${classes.length} classes with the most errors.`));
}

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function moveInGrid(event) {
  const step = STEPS[event.key];
  if (!step) return;
  const cell = event.target.closest("td");
  const rows = [...event.currentTarget.tBodies[0].rows];
  const row = rows[rows.indexOf(cell.parentNode) + step[0]];
  const next = row?.cells[cell.cellIndex + step[1]]?.querySelector("a");
  event.preventDefault();
  if (!next) return;
  event.target.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

// "cat taken for dog", most confident first
const imagesOfCell = (actual, predicted, network, split) => images
  .filter((image) => image.split === split && image.actual === actual && answer(image, network).predicted === predicted)
  .sort(mostConfidentFirst(network));

const MOST_PAIRS = 3;
const MOST_EXAMPLES = 5;

function confusedWith(counts) {
  const { network, split } = state;
  const others = splits.filter(({ name }) => name !== split)
    .map((other) => ({ ...other, counts: countsOf(other, network) }));
  const elsewhere = ({ a, b }) => sum(others.map((other) => other.counts[a][b] + other.counts[b][a]));
  const pairs = confusedPairs(counts)
    .sort((first, second) => second.mistakes - first.mistakes || elsewhere(second) - elsewhere(first));
  const equals = pairs.filter(({ mistakes }) => mistakes === pairs[0].mistakes).length;
  const direction = (from, to) => counts[from][to] > 0 &&
    h("a", { href: cellHref(from, to) }, `${counts[from][to]} × ${classes[from]} taken for ${classes[to]}`);
  return h("section", { class: "pairs" },
    h("h2", null, pairs.length ? "Which classes are confused most?" : "No class is taken for another."),
    equals > 1 && h("p", { class: "note" },
      `${equals} pairs equally often here; first comes the one that is confused more often on ${others.map((other) => other.title).join()}.`),
    h("ol", null, pairs.slice(0, MOST_PAIRS).map(({ a, b, mistakes, of }, rank) =>
      h("li", { key: `${a} ${b}`, class: rank ? null : "first" },
        h("span", { class: "count" }, `${mistakes} of ${of} images`,
          others.map((other) => `; ${other.counts[a][b] + other.counts[b][a]} of ${sum(other.counts[a]) + sum(other.counts[b])} on ${other.title}`)),
        h("h3", null, h("strong", null, classes[a]), " and ", h("strong", null, classes[b])),
        h("p", { class: "directions" }, direction(a, b), direction(b, a)),
        rank < 2 && strip(imagesOfPair(a, b).slice(0, MOST_EXAMPLES), (image) =>
          [`${classes[image.actual]} → ${taken(image, network)}`, h("span", null,
            score(answer(image, network).confidence), image.split !== split && `, ${splitOf(image.split).title}`)])))),
    whereItLooks());
}

// of the split that is looked at first, then of the others
const imagesOfPair = (a, b) => [state.split, ...splits.map(({ name }) => name).filter((name) => name !== state.split)]
  .flatMap((split) => [...imagesOfCell(a, b, state.network, split), ...imagesOfCell(b, a, state.network, split)]
    .sort(mostConfidentFirst(state.network)));

// leads to the heatmaps, also from where there are none
function whereItLooks() {
  const of = mapsBy(everyMaps);
  const mapped = images.filter((image) => image.maps[of]);
  if (!mapped.length) return null;
  return h("aside", null,
    h("h2", null, "Is it looking at the object?"),
    h("p", null, `Hide a part of an image and watch the answer: ${plural(mapped.length, "image has", "images have")} heatmaps of `,
      h("strong", null, title(of)), ". They are marked ", h("span", { class: "badge" }, "heatmaps"), "."),
    pointing(of),
    h("a", { class: "button", href: href({ ...NO_CELL, view: "images", maps: "yes", network: of, split: mapped[0].split }) },
      "See where it looks"));
}

function confusionView() {
  const { network, split } = state;
  const counts = countsOf(splitOf(split), network);
  const [actual, predicted] = [labelOf(state.actual), labelOf(state.predicted)];
  const isCell = actual >= 0 && predicted >= 0;
  return h("div", null,
    h("div", { class: "controls" }, networkChoice(), splitChoice()),
    h("p", { class: "headline" },
      h("strong", null, title(network)), network === study.best && ", the best of the four on validation,",
      ` is right in ${percent(accuracyOf(counts))} of ${plural(splitOf(split).images, `${splitOf(split).title} image`)}.`),
    h("div", { class: "two" }, matrix(counts),
      isCell ? cellSection(actual, predicted, counts) : confusedWith(counts)),
    leftOut(splitOf(split)));
}

function cellSection(actual, predicted, counts) {
  const { network, split } = state;
  return h("section", { class: "cell", id: "cell" },
    h("a", { class: "close", href: href(NO_CELL), "aria-label": "close" }, "× close"),
    h("h2", null, actual === predicted ? `${classes[actual]}, recognised` : `${classes[actual]} taken for ${classes[predicted]}`),
    h("p", null, `${counts[actual][predicted]} of ${plural(sum(counts[actual]), "image")} of ${classes[actual]}${counts[actual][predicted] > 1 ? ", most confident first" : ""}.`),
    cards(imagesOfCell(actual, predicted, network, split), [network]));
}
