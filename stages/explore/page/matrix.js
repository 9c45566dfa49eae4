// A confusion matrix: counts and shares, a link for each cell.

const MOST_CELLS = 30; // in a row of a matrix: more would be too small to read and to hit

const countsOf = (split, network) => {
  const counts = classes.map(() => classes.map(() => 0));
  for (const [actual, predicted, count] of split.confusion[network])
    counts[actual][predicted] = count;
  return counts;
};

const sum = (values) => values.reduce((total, value) => total + value, 0);

const accuracyOf = (counts) => sum(counts.map((row, label) => row[label])) / sum(counts.map(sum));

const cellHref = (actual, predicted) =>
  href({ view: "confusion", actual: classes[actual], predicted: classes[predicted], more: "1" });

// "cat taken for dog", most confident first
const imagesOfCell = (actual, predicted, network, split) =>
  images
    .filter(
      (image) =>
        image.split === split &&
        image.actual === actual &&
        answer(image, network).predicted === predicted,
    )
    .sort(mostConfidentFirst(network));

// the classes that a matrix has room for: of many those with the most errors, in their order
function classesShown(counts) {
  const errors = (label) =>
    sum(counts[label]) + sum(counts.map((row) => row[label])) - 2 * counts[label][label];
  return classes
    .map((_, label) => label)
    .sort((one, other) => errors(other) - errors(one))
    .slice(0, MOST_CELLS)
    .sort((one, other) => one - other);
}

function cell(counts, actual, predicted, isChosen, isStop) {
  const count = counts[actual][predicted];
  const all = sum(counts[actual]);
  const share = count / Math.max(all, 1);
  const words = `${classes[actual]} taken for ${classes[predicted]}`;
  return h(
    "td",
    { key: predicted, role: "gridcell", class: actual === predicted ? "diagonal" : null },
    h(
      "a",
      {
        href: cellHref(actual, predicted),
        class: count ? null : "empty",
        style: {
          background: shade(study.colors.counts, share),
          color: share > 0.5 ? "#fff" : "#000",
        },
        "aria-current": isChosen ? "true" : null,
        "aria-label": `${words}: ${count}, ${percent(share, 0)}`,
        title: `${words}: ${count} of ${plural(all, "image")}`,
        tabIndex: isStop ? 0 : -1,
      },
      count ? [h("span", null, count), h("small", null, percent(share, 0))] : " ",
    ),
  );
}

function matrix(counts) {
  const shown = classesShown(counts);
  const chosen = [labelOf(state.actual), labelOf(state.predicted)];
  // one stop of the tab key: the arrow keys go from cell to cell
  const stop = chosen.every((label) => shown.includes(label)) ? chosen : [shown[0], shown[0]];
  const is = (pair, actual, predicted) => actual === pair[0] && predicted === pair[1];
  const head = (label) =>
    h(
      "th",
      { key: label, role: "columnheader", scope: "col" },
      h("span", { title: classes[label] }, classes[label]),
    );
  const row = (actual) =>
    h(
      "tr",
      { key: actual, role: "row" },
      h("th", { role: "rowheader", scope: "row", title: classes[actual] }, classes[actual]),
      shown.map((predicted) =>
        cell(counts, actual, predicted, is(chosen, actual, predicted), is(stop, actual, predicted)),
      ),
    );
  const kind = shown.length > 14 ? "matrix dense" : "matrix";
  return h(
    "div",
    { class: "of-matrix" },
    h(
      "table",
      { class: kind, role: "grid", "aria-label": "confusion matrix", onKeyDown: moveInGrid },
      h(
        "thead",
        null,
        h("tr", { role: "row" }, h("td", { class: "corner" }, "true class ↓"), shown.map(head)),
      ),
      h("tbody", null, shown.map(row)),
    ),
    h(
      "p",
      { class: "note" },
      "Rows: true class. Columns: prediction. Number and share of the true class; ",
      "click a cell, or walk with the arrow keys and press Enter.",
      shown.length < classes.length &&
        ` The ${shown.length} of ${classes.length} classes with the most errors.`,
    ),
  );
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
