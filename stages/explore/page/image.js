// An image by itself: what all networks say of it.

// says so where there are no maps of the network that is looked at
function otherMaps(image) {
  if (image.maps[state.network] || !study.occlusion.length) return null;
  const [other] = Object.keys(image.maps);
  const of = mapsBy(everyMaps);
  const changes = { ...NO_IMAGE, ...NO_CELL, view: "images", maps: "yes", network: of };
  return h(
    "p",
    { class: "headline of-others" },
    "This image has no heatmaps of ",
    h("strong", null, title(state.network)),
    other ? [", those below are of ", h("strong", null, title(other)), ". "] : ". ",
    h(
      "a",
      { href: href({ ...changes, split: mappedSplit(of) }) },
      `Images with heatmaps of ${title(of)}`,
    ),
  );
}

function imageView(image) {
  return h(
    "div",
    null,
    h("p", null, h("a", { href: href(NO_IMAGE) }, "← back (Esc)")),
    h(
      "div",
      { class: "two image" },
      h(
        "figure",
        null,
        photo(image),
        h(
          "figcaption",
          null,
          "true class: ",
          h("strong", null, classes[image.actual]),
          h("br"),
          h(
            "span",
            { class: "note" },
            `${splitOf(image.split).title} image, number ${image.index} of the data set`,
          ),
        ),
      ),
      h(
        "div",
        { class: "answers" },
        networks.map(({ name, color }) =>
          h(
            "section",
            { key: name, style: { borderTopColor: color } },
            h("h3", null, title(name)),
            h("p", null, verdict(image, name)),
            bars(scoresOf(image, name), {
              actual: image.actual,
              predicted: answer(image, name).predicted,
              color,
            }),
          ),
        ),
      ),
    ),
    otherMaps(image),
    Object.keys(image.maps).length > 0 && occlusion(image),
  );
}
