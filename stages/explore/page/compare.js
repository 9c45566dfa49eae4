// Two networks side by side: what one gets right and the other wrong.

function pairOf(split, first, second) {
  const own = split.pairwise[`${first}_${second}`];
  if (own) return own;
  const { only_first, only_second, ...same } = split.pairwise[`${second}_${first}`];
  return { ...same, only_first: only_second, only_second: only_first };
}

const onlyRight = (right, wrong, split) =>
  images
    .filter((image) => image.split === split && isRight(image, right) && !isRight(image, wrong))
    .sort(mostConfidentFirst(wrong));

function fourfold({ both, only_first, only_second, neither }, first, second) {
  const row = (head, one, other) =>
    h("tr", null, h("th", { scope: "row" }, head), h("td", null, one), h("td", null, other));
  return h(
    "table",
    { class: "fourfold" },
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        h("td"),
        h("th", { scope: "col" }, `${title(second)} right`),
        h("th", { scope: "col" }, "wrong"),
      ),
    ),
    h(
      "tbody",
      null,
      row(`${title(first)} right`, both, only_first),
      row("wrong", only_second, neither),
    ),
  );
}

function compareView() {
  const { network: first, second, split } = state;
  const controls = h(
    "div",
    { class: "controls" },
    networkChoice("network"),
    networkChoice("beside", "second"),
    splitChoice(),
  );
  if (first === second)
    return h("div", null, controls, h("p", { class: "none" }, "Choose two different networks."));
  const pair = pairOf(splitOf(split), first, second);
  const chance = pair.p_holm < 0.05 ? "chance alone would hardly do that" : "chance could do that";
  const column = (right, wrong, count) => {
    const list = onlyRight(right, wrong, split);
    return h(
      "section",
      null,
      h("h2", null, "Only ", h("strong", null, title(right)), ` is right: ${count}`),
      h(
        "p",
        { class: "note" },
        `The surest mistakes of ${title(wrong)} first; bars are its scores.`,
      ),
      cards(list, [right, wrong], wrong, PER_PAGE / 2),
    );
  };
  return h(
    "div",
    null,
    controls,
    h(
      "div",
      { class: "test" },
      fourfold(pair, first, second),
      h(
        "p",
        { class: "headline" },
        `${pair.only_first} images are right with ${title(first)} alone, ${pair.only_second} with ${title(second)} alone: ${chance} `,
        h(
          "span",
          { class: "note" },
          `(McNemar's exact test, p ${pair.p_holm < 0.001 ? "< 0.001" : `= ${pair.p_holm.toFixed(3)}`}, Holm-corrected for all pairs of networks).`,
        ),
      ),
    ),
    h(
      "div",
      { class: "two even" },
      column(first, second, pair.only_first),
      column(second, first, pair.only_second),
    ),
    leftOut(splitOf(split)),
  );
}
