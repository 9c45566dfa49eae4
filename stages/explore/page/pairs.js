// Which classes are confused most, in words and images; the way to the heatmaps.

// how often any two classes are taken for one another, either way
function confusedPairs(counts) {
  const pairs = [];
  counts.forEach((row, one) =>
    row.slice(0, one).forEach((_, other) => {
      const mistakes = counts[one][other] + counts[other][one];
      // the larger direction first
      const [a, b] = counts[one][other] > counts[other][one] ? [one, other] : [other, one];
      if (mistakes) pairs.push({ a, b, mistakes, of: sum(counts[one]) + sum(counts[other]) });
    }),
  );
  return pairs;
}

const MOST_PAIRS = 3;
const MOST_EXAMPLES = 5;

function confusedWith(counts) {
  const { network, split } = state;
  const others = splits
    .filter(({ name }) => name !== split)
    .map((other) => ({ ...other, counts: countsOf(other, network) }));
  const elsewhere = ({ a, b }) =>
    sum(others.map((other) => other.counts[a][b] + other.counts[b][a]));
  const pairs = confusedPairs(counts).sort(
    (first, second) => second.mistakes - first.mistakes || elsewhere(second) - elsewhere(first),
  );
  const equals = pairs.filter(({ mistakes }) => mistakes === pairs[0].mistakes).length;
  const direction = (from, to) =>
    counts[from][to] > 0 &&
    h(
      "a",
      { href: cellHref(from, to) },
      `${counts[from][to]} × ${classes[from]} taken for ${classes[to]}`,
    );
  return h(
    "section",
    { class: "pairs" },
    h(
      "h2",
      null,
      pairs.length ? "Which classes are confused most?" : "No class is taken for another.",
    ),
    equals > 1 &&
      h(
        "p",
        { class: "note" },
        `${equals} pairs equally often here; first comes the one that is confused more often on ${others.map((other) => other.title).join()}.`,
      ),
    h(
      "ol",
      null,
      pairs.slice(0, MOST_PAIRS).map(({ a, b, mistakes, of }, rank) =>
        h(
          "li",
          { key: `${a} ${b}`, class: rank ? null : "first" },
          h(
            "span",
            { class: "count" },
            `${mistakes} of ${of} images`,
            others.map(
              (other) =>
                `; ${other.counts[a][b] + other.counts[b][a]} of ${sum(other.counts[a]) + sum(other.counts[b])} on ${other.title}`,
            ),
          ),
          h("h3", null, h("strong", null, classes[a]), " and ", h("strong", null, classes[b])),
          h("p", { class: "directions" }, direction(a, b), direction(b, a)),
          rank < 2 &&
            strip(imagesOfPair(a, b).slice(0, MOST_EXAMPLES), (image) => [
              `${classes[image.actual]} → ${taken(image, network)}`,
              h(
                "span",
                null,
                score(answer(image, network).confidence),
                image.split !== split && `, ${splitOf(image.split).title}`,
              ),
            ]),
        ),
      ),
    ),
    whereItLooks(),
  );
}

// of the split that is looked at first, then of the others
const imagesOfPair = (a, b) =>
  [state.split, ...splits.map(({ name }) => name).filter((name) => name !== state.split)].flatMap(
    (split) =>
      [
        ...imagesOfCell(a, b, state.network, split),
        ...imagesOfCell(b, a, state.network, split),
      ].sort(mostConfidentFirst(state.network)),
  );

// leads to the heatmaps, also from where there are none
function whereItLooks() {
  const of = mapsBy(everyMaps);
  const mapped = images.filter((image) => image.maps[of]);
  if (!mapped.length) return null;
  const some = `${splitOf(mappedSplit(of)).title} image`;
  return h(
    "aside",
    null,
    h("h2", null, "Is it looking at the object?"),
    h(
      "p",
      null,
      `Hide a part of an image and watch the answer: ${plural(mapped.length, `${some} has`, `${some}s have`)} heatmaps of `,
      h("strong", null, title(of)),
      ".",
      of === state.network && [" They are marked ", h("span", { class: "badge" }, "heatmaps"), "."],
    ),
    pointing(of),
    of !== state.network &&
      h(
        "p",
        { class: "note" },
        `For those of ${title(state.network)}, set occlusion.network to ${state.network} in params.yaml.`,
      ),
    h(
      "a",
      {
        class: "button",
        href: href({
          ...NO_CELL,
          view: "images",
          maps: "yes",
          network: of,
          split: mappedSplit(of),
        }),
      },
      "See where it looks",
    ),
  );
}
