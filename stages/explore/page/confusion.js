// Confusion matrix of a network and split; the images of a cell.

function confusionView() {
  const { network, split } = state;
  const counts = countsOf(splitOf(split), network);
  const [actual, predicted] = [labelOf(state.actual), labelOf(state.predicted)];
  const isCell = actual >= 0 && predicted >= 0;
  return h(
    "div",
    null,
    h("div", { class: "controls" }, networkChoice(), splitChoice()),
    h(
      "p",
      { class: "headline" },
      h("strong", null, title(network)),
      network === study.best && ", the best of the four on validation,",
      ` is right in ${percent(accuracyOf(counts))} of ${plural(splitOf(split).images, `${splitOf(split).title} image`)}.`,
    ),
    h(
      "div",
      { class: "two" },
      matrix(counts),
      isCell ? cellSection(actual, predicted, counts) : confusedWith(counts),
    ),
    leftOut(splitOf(split)),
  );
}

function cellSection(actual, predicted, counts) {
  const { network, split } = state;
  return h(
    "section",
    { class: "cell", id: "cell" },
    h("a", { class: "close", href: href(NO_CELL), "aria-label": "close" }, "× close"),
    h(
      "h2",
      null,
      actual === predicted
        ? `${classes[actual]}, recognised`
        : `${classes[actual]} taken for ${classes[predicted]}`,
    ),
    h(
      "p",
      null,
      `${counts[actual][predicted]} of ${plural(sum(counts[actual]), "image")} of ${classes[actual]}${counts[actual][predicted] > 1 ? ", most confident first" : ""}.`,
    ),
    cards(imagesOfCell(actual, predicted, network, split), [network]),
  );
}
