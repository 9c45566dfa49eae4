// What is looked at: the part of the address behind the #, so that a link leads to the same view.

const DEFAULTS = {
  view: "confusion",
  network: study.best,
  second: networks.find((network) => network.name !== study.best)?.name ?? study.best,
  split: splits[0].name,
  actual: "", // class names; of a cell, or what is filtered by
  predicted: "",
  answers: "", // right | wrong
  low: "0", // confidence, per cent
  high: "100",
  maps: "", // yes: images with heatmaps alone
  threshold: "50", // per cent
  image: "", // its index in the data set
  patch: "",
  fill: "",
  measure: "log_odds",
  target: "", // the class whose map is shown
  x: "", // left edge of the patch, pixels
  y: "",
  more: "1", // pages of images that are shown
};

// the least and the most of what is a number
const LIMITS = { low: [0, 100], high: [0, 100], threshold: [0, 100], more: [1, 1e6] };

// what the address says, and the default in place of what makes no sense
function parse() {
  const given = new URLSearchParams(location.hash.slice(1));
  const found = { ...DEFAULTS };
  for (const key of Object.keys(DEFAULTS)) if (given.has(key)) found[key] = given.get(key);
  for (const [key, [least, most]] of Object.entries(LIMITS))
    if (!(Number(found[key]) >= least && Number(found[key]) <= most)) found[key] = DEFAULTS[key];
  if (!networkOf(found.network)) found.network = DEFAULTS.network;
  if (!networkOf(found.second)) found.second = DEFAULTS.second;
  if (!splitOf(found.split) && !(found.split === "all" && found.view === "images"))
    found.split = DEFAULTS.split;
  return found;
}

let state = parse();

// the address of the view with some things changed
function href(changes) {
  const next = { ...state, ...changes };
  const kept = Object.entries(next).filter(([key, value]) => value !== DEFAULTS[key]);
  return `#${new URLSearchParams(kept.length ? kept : { view: next.view })}`;
}

function go(changes) {
  location.hash = href(changes);
}

// changes that follow each other quickly, such as a slider's, make one entry of the history; the
// address follows when they rest, since browsers limit how often it may change
let resting;
function slide(changes) {
  state = { ...state, ...changes };
  draw();
  clearTimeout(resting);
  resting = setTimeout(() => history.replaceState(null, "", href({})), 200);
}

const labelOf = (name) => classes.indexOf(name);

// what a new list or another image leaves behind
const NO_CELL = { actual: "", predicted: "", more: "1" };
const NO_IMAGE = { image: "", x: "", y: "", target: "" };
