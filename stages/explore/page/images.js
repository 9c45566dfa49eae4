// Images by class, right or wrong, confidence and split.

function filtered() {
  const { network, split } = state;
  const [low, high] = [Number(state.low) / 100, Number(state.high) / 100];
  return images
    .filter((image) => {
      const { predicted, confidence } = answer(image, network);
      return (
        (split === "all" || image.split === split) &&
        (!state.actual || classes[image.actual] === state.actual) &&
        (!state.predicted || classes[predicted] === state.predicted) &&
        (!state.answers || (predicted === image.actual) === (state.answers === "right")) &&
        (!state.maps || image.maps[mapsBy(everyMaps)]) &&
        confidence >= low &&
        confidence <= high
      );
    })
    .sort(mostConfidentFirst(network));
}

const share = (label, key) =>
  h(
    "label",
    { class: "choice" },
    h("span", { class: "label" }, label),
    h("input", {
      type: "number",
      min: 0,
      max: 100,
      step: 5,
      value: state[key],
      onChange: (event) =>
        go({ [key]: String(Math.min(100, Math.max(0, Number(event.target.value)))), more: "1" }),
    }),
    "%",
  );

function imagesView() {
  const list = filtered();
  const all = images.filter((image) => state.split === "all" || image.split === state.split).length;
  const everything = { ...NO_CELL, answers: "", low: "0", high: "100", maps: "" };
  return h(
    "div",
    null,
    h("div", { class: "controls" }, networkChoice(), splitChoice([{ name: "all", title: "both" }])),
    h(
      "div",
      { class: "controls" },
      select("true class", "actual", classOptions("any")),
      select("taken for", "predicted", classOptions("any")),
      select("answer", "answers", [
        ["", "right or wrong"],
        ["right", "right"],
        ["wrong", "wrong"],
      ]),
      share("confidence from", "low"),
      share("to", "high"),
      study.occlusion.length > 0 &&
        h(
          "label",
          { class: "choice" },
          h("input", {
            type: "checkbox",
            checked: state.maps === "yes",
            onChange: (event) => go({ maps: event.target.checked ? "yes" : "", more: "1" }),
          }),
          " only with heatmaps",
        ),
      h("a", { class: "button", href: href(everything) }, "Reset"),
    ),
    h(
      "p",
      { class: "headline", "aria-live": "polite" },
      h("strong", null, plural(list.length, "image")),
      ` of ${all.toLocaleString("en")}, most confident first.`,
    ),
    state.maps && study.occlusion.length ? mapCards(list) : cards(list, [state.network]),
    splits.filter(({ name }) => state.split === "all" || state.split === name).map(leftOut),
  );
}
