// An image by itself: what all networks say of it.

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
    Object.keys(image.maps).length > 0 && occlusion(image),
  );
}
