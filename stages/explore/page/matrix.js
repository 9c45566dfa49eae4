// A confusion matrix: counts and shares, a link for each cell.

const MOST_CLASSES = 30; // of a matrix: more would be too small to read and to hit

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

function matrix(counts) {
  const errors = (label) =>
    sum(counts[label]) + sum(counts.map((row) => row[label])) - 2 * counts[label][label];
  const shown = classes
    .map((_, label) => label)
    .sort((one, other) => errors(other) - errors(one))
    .slice(0, MOST_CLASSES)
    .sort((one, other) => one - other);
  const chosen = [labelOf(state.actual), labelOf(state.predicted)];
  // one stop of the tab key: the arrow keys go from cell to cell
  const [stopRow, stopColumn] =
    shown.includes(chosen[0]) && shown.includes(chosen[1]) ? chosen : [shown[0], shown[0]];
  const cell = (actual, predicted) => {
    const count = counts[actual][predicted];
    const share = count / Math.max(sum(counts[actual]), 1);
    const isChosen = actual === chosen[0] && predicted === chosen[1];
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
          "aria-label": `${classes[actual]} taken for ${classes[predicted]}: ${count}, ${percent(share, 0)}`,
          title: `${count} of ${plural(sum(counts[actual]), "image")} of ${classes[actual]} taken for ${classes[predicted]}`,
          tabIndex: actual === stopRow && predicted === stopColumn ? 0 : -1,
        },
        count ? [h("span", null, count), h("small", null, percent(share, 0))] : " ",
      ),
    );
  };
  return h(
    "div",
    { class: "of-matrix" },
    h(
      "table",
      {
        class: shown.length > 14 ? "matrix dense" : "matrix",
        role: "grid",
        "aria-label": "confusion matrix",
        onKeyDown: moveInGrid,
      },
      h(
        "thead",
        null,
        h(
          "tr",
          { role: "row" },
          h("td", { class: "corner" }, "true class ↓"),
          shown.map((label) =>
            h(
              "th",
              { key: label, role: "columnheader", scope: "col" },
              h("span", { title: classes[label] }, classes[label]),
            ),
          ),
        ),
      ),
      h(
        "tbody",
        null,
        shown.map((actual) =>
          h(
            "tr",
            { key: actual, role: "row" },
            h("th", { role: "rowheader", scope: "row", title: classes[actual] }, classes[actual]),
            shown.map((predicted) => cell(actual, predicted)),
          ),
        ),
      ),
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
