// The page as a whole: its head, the view that the address names, and the keyboard.

const VIEWS = {
  confusion: { title: "Confusion", view: confusionView },
  compare: { title: "Two networks", view: compareView },
  confidence: { title: "Confidence", view: confidenceView },
  images: { title: "Images", view: imagesView },
};

const app = document.getElementById("app");

function page() {
  const image = state.image === "" ? null : imageOf(state.image);
  const current = Object.hasOwn(VIEWS, state.view) ? state.view : "confusion";
  const total = sum(splits.map((split) => split.images));
  const tab = (name, changes) => ({
    ...NO_CELL,
    ...NO_IMAGE,
    answers: "",
    low: "0",
    high: "100",
    maps: "",
    view: name,
    ...(state.split === "all" && name !== "images" ? { split: DEFAULTS.split } : {}),
    ...changes,
  });
  return h(
    "div",
    { class: "page" },
    h(
      "header",
      null,
      h("h1", null, "The study, image by image"),
      h(
        "p",
        null,
        `${networks.length} networks, ${classes.length} classes, ${plural(total, "image")} that none was trained on`,
      ),
      h(
        "nav",
        { "aria-label": "views" },
        Object.entries(VIEWS).map(([name, { title: words }]) =>
          h(
            "a",
            {
              key: name,
              href: href(tab(name)),
              "aria-current": name === current && !state.maps ? "page" : null,
            },
            words,
          ),
        ),
        study.occlusion.length > 0 &&
          h(
            "a",
            {
              href: href(tab("images", { maps: "yes", network: mapsBy(everyMaps) })),
              "aria-current": state.maps ? "page" : null,
            },
            "Heatmaps",
          ),
      ),
    ),
    h("main", { tabIndex: -1 }, image ? imageView(image) : VIEWS[current].view()),
  );
}

function draw() {
  render(page(), app);
}

const up = () =>
  state.image !== "" ? NO_IMAGE : state.view === "confusion" && state.actual ? NO_CELL : null;

addEventListener("keydown", (event) => {
  if (event.key === "Escape" && up()) go(up());
});

addEventListener("hashchange", () => {
  const before = state;
  state = parse();
  draw();
  if (before.image !== state.image) {
    // to the image, and from it back to where it was opened
    const opener = before.image && app.querySelector(`a[data-image="${CSS.escape(before.image)}"]`);
    if (opener) opener.focus();
    else {
      scrollTo(0, 0);
      app.querySelector("main").focus({ preventScroll: true });
    }
  } else if (before.actual !== state.actual || before.predicted !== state.predicted) {
    const cell = document.getElementById("cell");
    if (cell && cell.getBoundingClientRect().top > innerHeight * 0.7) cell.scrollIntoView();
    else if (!cell && state.view === "confusion")
      app.querySelector('.matrix a[tabindex="0"]')?.focus();
  } else if (before.view !== state.view) scrollTo(0, 0);
});

draw();
// the photographs stand behind the script
addEventListener("DOMContentLoaded", draw);
