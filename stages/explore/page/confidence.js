// A threshold on confidence: what is answered, and how well; the reliability diagram.

const CHART = { left: 46, top: 26, width: 500, height: 300, right: 24, bottom: 40, steps: 5 };

// axes from 0 to 1 across and from `from` to 1 upwards
function axes({ across, upwards, from = 0, size = CHART, label }, ...content) {
  const x = (share) => size.left + share * size.width;
  const y = (share) => size.top + ((1 - share) / (1 - from)) * size.height;
  const ticks = Array.from({ length: size.steps + 1 }, (_, tick) => tick / size.steps);
  const step = from < 0.5 ? 0.2 : 0.1;
  const heights = Array.from(
    { length: Math.round((1 - from) / step) + 1 },
    (_, tick) => from + tick * step,
  );
  return h(
    "svg",
    {
      viewBox: `0 0 ${size.left + size.width + size.right} ${size.top + size.height + size.bottom}`,
      role: "img",
      "aria-label": label,
    },
    heights.map((tick) =>
      h(
        "g",
        { key: tick },
        h("line", { class: "grid", x1: x(0), x2: x(1), y1: y(tick), y2: y(tick) }),
        h("text", { x: x(0) - 6, y: y(tick) + 4, "text-anchor": "end" }, percent(tick, 0)),
      ),
    ),
    ticks.map((tick) =>
      h(
        "text",
        { key: tick, x: x(tick), y: y(from) + 16, "text-anchor": "middle" },
        percent(tick, 0),
      ),
    ),
    h("text", { x: x(0.5), y: y(from) + 34, "text-anchor": "middle" }, across),
    h("text", { class: "name", x: 0, y: 12 }, upwards),
    content.map((part) => part(x, y)),
  );
}

// what a network answers at a threshold in per cent, of a split
function answeredAt(split, network, threshold) {
  const place = study.thresholds.findIndex((value) => value >= 10 * threshold);
  const [answered, right] = split.coverage[network][place];
  return {
    answered,
    right,
    share: answered / split.images,
    accuracy: answered ? right / answered : null,
  };
}

function coverageChart(split, threshold) {
  const lines = networks.map(({ name }) =>
    study.thresholds
      .map((value) => answeredAt(split, name, value / 10))
      .filter(({ answered }) => answered),
  );
  const least = Math.min(...lines.flat().map(({ accuracy }) => accuracy));
  const from = Math.max(0, Math.floor(least * 5) / 5);
  return axes(
    {
      across: "share of the images that are answered",
      upwards: "accuracy of the answers",
      from,
      label: "accuracy against the share of images answered",
    },
    (x, y) =>
      networks.map(({ name, color }, number) => {
        const line = lines[number];
        const now = answeredAt(split, name, threshold);
        return h(
          "g",
          { key: name },
          h("polyline", {
            points: line.map(({ share, accuracy }) => `${x(share)},${y(accuracy)}`).join(" "),
            style: { stroke: color },
          }),
          now.answered > 0 &&
            h("circle", { cx: x(now.share), cy: y(now.accuracy), r: 5, style: { fill: color } }),
        );
      }),
  );
}

function thresholdTable(split, threshold) {
  return h(
    "table",
    { class: "numbers" },
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        ["network", "answered", "of those right", "wrong answers"].map((name) =>
          h("th", { key: name, scope: "col" }, name),
        ),
      ),
    ),
    h(
      "tbody",
      null,
      networks.map(({ name, color }) => {
        const { answered, right, share, accuracy } = answeredAt(split, name, threshold);
        return h(
          "tr",
          { key: name },
          h(
            "th",
            { scope: "row" },
            h("i", { class: "dot", style: { background: color } }),
            title(name),
          ),
          h("td", null, `${answered} (${percent(share, 0)})`),
          h("td", null, accuracy === null ? "–" : percent(accuracy)),
          h(
            "td",
            null,
            answered - right
              ? h(
                  "a",
                  {
                    href: href({
                      ...NO_CELL,
                      view: "images",
                      network: name,
                      answers: "wrong",
                      low: String(threshold),
                      high: "100",
                      maps: "",
                    }),
                  },
                  answered - right,
                )
              : 0,
          ),
        );
      }),
    ),
  );
}

const SMALL = { left: 46, top: 8, width: 180, height: 150, right: 24, bottom: 40, steps: 2 };

function reliabilityChart(split, { name, color }) {
  const bins = split.reliability[name];
  const error =
    sum(bins.map(([, , count, confidence, accuracy]) => count * Math.abs(accuracy - confidence))) /
    split.images;
  return h(
    "figure",
    { key: name },
    h(
      "figcaption",
      null,
      h("strong", null, title(name)),
      h("br"),
      `calibration error ${percent(error)}`,
    ),
    axes(
      { across: "confidence", upwards: "", size: SMALL, label: `reliability of ${title(name)}` },
      (x, y) =>
        bins.map(([low, high, count, confidence, accuracy]) =>
          h(
            "rect",
            {
              key: low,
              x: x(low) + 0.5,
              width: x(high) - x(low) - 1,
              y: y(accuracy),
              height: y(0) - y(accuracy),
              style: { fill: color },
            },
            h(
              "title",
              null,
              `${plural(count, "image")}: confidence ${percent(confidence)}, right ${percent(accuracy)}`,
            ),
          ),
        ),
      (x, y) => h("line", { class: "ideal", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }),
    ),
  );
}

function confidenceView() {
  const split = splitOf(state.split);
  const threshold = Number(state.threshold);
  const place = Math.max(
    0,
    study.thresholds.findIndex((value) => value >= 10 * threshold),
  );
  const { answered, accuracy } = answeredAt(split, state.network, threshold);
  return h(
    "div",
    null,
    h("div", { class: "controls" }, networkChoice(), splitChoice()),
    h(
      "p",
      { class: "headline", "aria-live": "polite" },
      `If it answers only where it is at least ${threshold} % sure, `,
      h("strong", null, title(state.network)),
      ` answers ${answered} of ${split.images} images`,
      accuracy === null ? "." : ` and is right in ${percent(accuracy)} of them.`,
    ),
    h(
      "label",
      { class: "slider" },
      h("span", { class: "label" }, "threshold"),
      h("input", {
        type: "range",
        min: 0,
        max: study.thresholds.length - 1,
        value: place,
        "aria-valuetext": `${threshold} %`,
        onInput: (event) => slide({ threshold: String(study.thresholds[event.target.value] / 10) }),
      }),
      h("output", null, `${threshold} %`),
    ),
    h(
      "div",
      { class: "two" },
      h("figure", { class: "coverage" }, coverageChart(split, threshold)),
      h(
        "section",
        null,
        thresholdTable(split, threshold),
        h("p", { class: "note" }, "The number of wrong answers leads to the images."),
      ),
    ),
    h("h2", null, "Is a confidence of 80 % right in 80 %?"),
    h(
      "p",
      { class: "note" },
      "On the line it is; below it the network is surer than it should be, above it less sure.",
    ),
    h(
      "div",
      { class: "reliability" },
      networks.map((network) => reliabilityChart(split, network)),
    ),
  );
}
