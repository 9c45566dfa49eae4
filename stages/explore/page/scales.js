// Numbers as words and colours: those of the other pictures of the study.

const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;

// a score of less than 1 is never shown as 100 %
const score = (share) =>
  share > 0.9995 ? "> 99.9 %" : share < 0.0005 ? "< 0.1 %" : percent(share);

const plural = (count, one, many = `${one}s`) =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

// the colour at a place from 0 to 1 of a colour map
const shade = (map, place) => map[Math.round(Math.min(Math.max(place, 0), 1) * (map.length - 1))];

// matplotlib's SymLogNorm(linthresh=0.01, linscale=0.5, vmin=-1, vmax=1), from -1..1 to 0..1
function symlog(value) {
  const linear = 0.5 / (1 - 1 / 10);
  const size = (x) => (x <= 0.01 ? (x / 0.01) * linear : linear + Math.log10(x / 0.01));
  return 0.5 + (0.5 * Math.sign(value) * size(Math.min(Math.abs(value), 1))) / size(1);
}
