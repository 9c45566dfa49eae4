// The patch on an image: what it hides, and how it is moved.

// noise of the page's own: only its kind is that of the stage
const noise = (() => {
  let made;
  return () => {
    if (made) return made;
    const canvas = Object.assign(document.createElement("canvas"), {
      width: study.side,
      height: study.side,
    });
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(study.side, study.side);
    let seed = 1;
    pixels.data.forEach((_, place) => {
      seed = (seed * 16807) % 2147483647;
      pixels.data[place] = place % 4 === 3 ? 255 : seed % 256;
    });
    context.putImageData(pixels, 0, 0);
    return (made = canvas.toDataURL());
  };
})();

// a fill without a name is a grey value or a colour, such as "128" or "255-0-10"
const colorOfFill = (fill) =>
  ({ mean: study.mean, gray: "#808080", black: "#000000" })[fill] ??
  `rgb(${(fill.includes("-") ? fill.split("-") : [fill, fill, fill]).join()})`;

// the place of the patch: from the address, else where the score falls furthest
function placeOf(map, values) {
  const worst = values.indexOf(Math.max(...values));
  const within = (text, count, fallback) =>
    text === "" || !Number.isFinite(Number(text))
      ? fallback
      : Math.min(Math.max(Math.round(Number(text) / map.stride), 0), count - 1);
  return {
    row: within(state.y, map.rows, Math.floor(worst / map.columns)),
    column: within(state.x, map.columns, worst % map.columns),
  };
}

function moveTo(map, row, column) {
  const clamp = (value, count) => String(Math.min(Math.max(value, 0), count - 1) * map.stride);
  slide({ y: clamp(row, map.rows), x: clamp(column, map.columns) });
}

// the picture on which the patch is moved, by pointer or arrow keys
function stage(map, place, label, ...content) {
  const follow = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const at = (position, length) =>
      Math.round(((position / length) * study.side - map.patch / 2) / map.stride);
    moveTo(map, at(event.clientY - box.top, box.height), at(event.clientX - box.left, box.width));
  };
  return h(
    "div",
    {
      class: "stage",
      tabIndex: 0,
      role: "application",
      "aria-label": label,
      onPointerDown: (event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        follow(event);
      },
      onPointerMove: (event) => {
        if (event.buttons) follow(event);
      },
      onKeyDown: (event) => {
        const step = STEPS[event.key];
        if (!step) return;
        event.preventDefault();
        moveTo(map, place.row + step[0], place.column + step[1]);
      },
    },
    content,
  );
}

// the blur is one of 8 pixels of the image's 96, in style.css; see stages/occlusion/fills.py
function patchOver(image, map, { row, column }, fill, frame) {
  const share = (pixels) => `${(100 * pixels) / study.side}%`;
  const [top, left] = [row * map.stride, column * map.stride];
  const box = {
    top: share(top),
    left: share(left),
    width: share(map.patch),
    height: share(map.patch),
  };
  const inset = `inset(${share(top)} ${share(study.side - left - map.patch)} ${share(study.side - top - map.patch)} ${share(left)})`;
  const hidden =
    fill === "blur"
      ? h(
          "div",
          { class: "clip", style: { clipPath: inset } },
          h("img", { src: photoOf(image), alt: "", class: "blurred" }),
        )
      : fill === "noise"
        ? h("img", { class: "clip noise", alt: "", src: noise(), style: { clipPath: inset } })
        : h("div", { class: "patch", style: { ...box, background: colorOfFill(fill) } });
  return [!frame && hidden, h("div", { class: "patch frame", style: box })];
}
