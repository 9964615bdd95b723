// What the engine is given: a description (JSON) and its weights (bytes), as ncabook.live.describe
// writes them. Everything is checked here, once, so that the engine itself need not doubt.

const VERSION = 3;
const [RGB, RGBA] = [3, 4];
export const LANES = 4;  // buffers are whole vectors of numbers, and so are their parts
const MOST_SAID = 80;  // characters of what was given, in an error
/** Of a local decoder: place in a cell is told by so many sines and cosines of row and of column. */
export const HARMONICS = 2;
export const PLACE = 4 * HARMONICS;
export const MOST_PIXELS = 512;  // along a side of its picture
const MOST_NEIGHBOURS = 49;  // of attention: a kernel of 7×7

/** Throws an Error that says what was given and what was expected. */
export function checkDescription(description, weights) {
  if (description?.format !== "nca-live") {
    throw new Error(`live figure: not a description of an automaton (format ${
      JSON.stringify(description?.format)}, expected "nca-live")`);
  }
  if (description.version !== VERSION) {
    throw new Error(`live figure: description version ${description.version}; ` +
      `this engine reads version ${VERSION}, export the automaton again`);
  }
  checkNumbers(description);
  checkSteps(description);
  checkDecoder(description);
  checkLatents(description);
  checkCritic(description);
  checkTargets(description);
  if (weights.byteLength !== description.weights_bytes) {
    throw new Error(`live figure: ${weights.byteLength} bytes of weights, ` +
      `the description expects ${description.weights_bytes}`);
  }
}

function checkNumbers(d) {
  for (const name of ["height", "width", "channels", "weights_bytes"]) {
    expect(isCount(d[name]), name, d[name], "a whole number ≥ 1");
  }
  expect(isNatural(d.fixed) && d.fixed < d.channels,
    "fixed", d.fixed, "a whole number ≥ 0, less than channels");
  expect(Array.isArray(d.votes), "votes", d.votes, "a list of classes, empty where nothing is classified");
  expect(isNatural(d.visible) && d.fixed + d.visible + d.votes.length <= d.channels,
    "visible", d.visible, "a whole number ≥ 0, with fixed and votes at most channels");
  expect(d.decoder !== null || d.film || d.votes.length > 0 || d.visible === RGB || d.visible === RGBA,
    "visible", d.visible, `${RGB}, red, green and blue, or ${RGBA}, with alpha, where neither decoder ` +
    "nor votes make a picture");
  expect(d.living_threshold === null || (isNatural(d.living) && d.living < d.channels),
    "living", d.living, "the index of the channel that tells which cells live");
  expect(!d.fill || (d.start === null && d.fill.length === d.channels && d.fill.every(Number.isFinite)),
    "fill", d.fill, "nothing, or a number for each channel and no start");
  expect(!d.rules || (d.rules.length > 1 && d.living_threshold === null), "rules", d.rules,
    "nothing, or names of two or more rules without a living mask");
  const sizes = d.sizes ?? [];
  const free = Boolean(d.fill) && [d.targets, d.condition, d.inputs].every((part) => part === null);
  expect(sizes.length === 0 || (free && sizes.every((size) => size.length === 2 && size.every(isCount))),
    "sizes", d.sizes, "nothing, or pairs of height and width where nothing has the grid's size");
  expect(d.turns === undefined || (Number.isFinite(d.turns) &&
    d.ops.every(({ kind }) => kind === "conv" || kind === "bank")),
    "turns", d.turns, "nothing, or degrees where all that a cell sees by is kernels");
  const starts = d.starts ?? 1;
  expect(starts === 1 || (d.start !== null && starts === d.classes.length),
    "starts", d.starts, "nothing, or the number of classes where there is a start for each");
  expect(d.start === null || fits(d.start, 2, 2 * d.height * d.width * d.channels * starts, d),
    "start", d.start, "null, or an even offset of the states within the weights");
  expect(d.ring === undefined || (typeof d.ring === "boolean" && d.start === null && !d.fill && d.visible > 0),
    "ring", d.ring, "nothing, or true or false where the start is a seed cell");
  const seeds = d.seeds ?? [];
  expect(d.seeds === undefined || (d.start === null && !d.fill && d.visible > 0 && d.planes === 0 &&
    seeds.length > 0 && seeds.length === d.classes.length &&
    seeds.every((seed) => seed.length === d.channels - d.fixed && seed.every(Number.isFinite))),
    "seeds", d.seeds, "nothing, or for each class the numbers of a seed cell where there is no other start");
  expect(d.free === undefined || (d.seeds && d.free.length === d.channels - d.fixed &&
    d.free.every(Number.isFinite)),
    "free", d.free, "nothing, or the numbers of a seed cell of no class beside those of classes");
  expect(d.erased === undefined || (d.fixed > 0 && d.erased?.length === d.fixed && d.erased.every(Number.isFinite)),
    "erased", d.erased, "nothing, or what each fixed channel of an erased cell holds");
  const share = (value) => value >= 0 && value <= 1;
  expect(d.inks === undefined || (d.decoder === null && d.votes.length === 0 && d.inks?.length > 0 &&
    d.inks.every(({ name, color }) => typeof name === "string" && color?.length === RGB && color.every(share))),
    "inks", d.inks, "nothing, or names and colours in [0, 1] where cells show red, green and blue");
  expect(d.more === undefined || typeof d.more === "boolean",
    "more", d.more, "nothing, or true or false: whether all instruments are in sight from the start");
  expect(d.fire_rate > 0 && d.fire_rate <= 1, "fire_rate", d.fire_rate, "a probability in (0, 1]");
  expect(d.living_threshold === null || Number.isFinite(d.living_threshold),
    "living_threshold", d.living_threshold, "a number or null");
  expect(Number.isInteger(d.seed), "seed", d.seed, "a whole number");
  expect(Array.isArray(d.classes), "classes", d.classes, "a list");
  expect(d.inputs === null || fits(d.inputs, 1, d.height * d.width * d.fixed * d.classes.length, d),
    "inputs", d.inputs, "null, or an offset of a picture for each class within the weights");
  expect(isNatural(d.planes) && (d.condition !== null || d.planes === 0 || d.planes === d.classes.length),
    "planes", d.planes, `0 or ${d.classes.length}, the number of classes`);
  expect(d.condition === null || fits(d.condition, 2, 2 * d.height * d.width * d.planes, d),
    "condition", d.condition, "null, or an even offset of a map within the weights");
  const last = Math.max(0, d.classes.length - 1);
  expect(Number.isInteger(d.class_index) && d.class_index >= 0 && d.class_index <= last,
    "class_index", d.class_index, `a whole number from 0 to ${last}`);
}

function checkCritic(d) {
  if (d.critic === undefined) return;
  const { layers, centre, spread } = d.critic;
  expect(Number.isFinite(centre) && spread > 0, "critic.centre, spread", [centre, spread],
    "two numbers, the second above 0");
  let [side, channels] = [Math.min(d.height, d.width), d.visible + d.fixed];
  layers.forEach((layer, i) => {
    const { in: inputs, out, kernel, stride, padding, slope, weight, bias } = layer;
    side = Math.floor((side + 2 * padding - kernel) / stride) + 1;
    const counts = [inputs, out, kernel, stride, side].every(isCount) && isNatural(padding);
    expect(counts && inputs === channels && slope >= 0 && slope <= 1 &&
      fits(weight, 2, 2 * out * inputs * kernel ** 2, d) && fits(bias, 4, 4 * out, d),
      `critic.layers[${i}]`, layer, `a convolution of ${channels} channels that fits picture and weights`);
    channels = out;
  });
  expect(channels === 1, "critic.layers", channels, "one channel at the end");
}

function checkTargets(d) {
  if (d.targets === null) return;
  expect(d.decoder === null, "targets", d.targets, "null where a decoder makes the picture");
  const { offset, top, left, height, width } = d.targets;
  const inside = isNatural(top) && isNatural(left) && isCount(height) && isCount(width) &&
    top + height <= d.height && left + width <= d.width;
  expect(inside && fits(offset, 4, 4 * height * width * Math.max(1, d.classes.length), d),
    "targets", d.targets, "null, or pictures inside the grid and the weights");
}

/** The sizes of all buffers: the state, its planes included, and those of the description. */
export const bufferSizes = (d) => [padded(d.channels + d.planes), ...d.buffers];

/** The operations of each rule; one without a number is of the only rule, or of the first. */
export const rulesOf = (d) => Array.from({ length: d.rules?.length ?? 1 }, (_, rule) =>
  d.ops.filter((op) => (op.rule ?? 0) === rule));

/** The next multiple of four. */
export const padded = (count) => (count + LANES - 1) & -LANES;

function checkSteps(d) {
  checkOps(d, d, CHECKS);
  const sizes = bufferSizes(d);
  for (const ops of rulesOf(d)) {
    const last = ops.at(-1);
    expect(last?.kind === "conv" && sizes[last.to] === padded(d.channels), "ops",
      last?.kind, `a conv at the end, into a buffer of ${padded(d.channels)}: the change`);
  }
}

function checkDecoder(d) {
  const { decoder } = d;
  if (decoder === null) return;
  if (decoder.kind !== undefined) {
    checkLocal(decoder, d);
    return;
  }
  checkOps(decoder, d, DECODER_CHECKS);
  const { scales, scale, image, ops, buffers } = decoder;
  expect(Array.isArray(scales) && scales.length === buffers.length && scales.every(isCount),
    "decoder.scales", scales, "a whole number ≥ 1 for each buffer");
  const of = (buffer) => (buffer === 0 ? 1 : scales[buffer - 1]);
  ops.forEach((op, i) => {
    const times = op.kind === "doubling" ? 2 : 1;
    expect(op.to > 0 && (op.from === undefined || of(op.to) === times * of(op.from)),
      `decoder.ops[${i}].to`, op.to, `a buffer of ${times} times the scale`);
  });
  expect(image === RGB || image === RGBA, "decoder.image", image, "3 or 4 channels");
  const { kind, out, to } = ops.at(-1);
  expect(kind === "conv" && out === image && of(to) === scale, "decoder.ops", kind,
    `a conv at the end, into ${image} channels at ${scale} times the grid's size`);
}

/** A decoder that reads the state at any point. */
function checkLocal({ kind, image, hidden, harmonics, first, second, last }, d) {
  expect(kind === "local", "decoder.kind", kind, 'nothing, or "local"');
  expect(image === RGB || image === RGBA, "decoder.image", image, "3 or 4 channels");
  expect(harmonics === HARMONICS, "decoder.harmonics", harmonics, `${HARMONICS}, as this engine has them`);
  expect(isCount(hidden), "decoder.hidden", hidden, "a whole number ≥ 1");
  expect(Math.max(d.height, d.width) <= MOST_PIXELS, "height, width", [d.height, d.width],
    `at most ${MOST_PIXELS} cells, one for each pixel of the picture`);
  const inputs = d.channels + PLACE;
  Object.entries({ first: [first, inputs, hidden], second: [second, hidden, hidden], last: [last, hidden, image] })
    .forEach(([name, [layer, from, to]]) => expect(
      fits(layer?.weight, 2, 2 * from * to, d) && fits(layer?.bias, 4, 4 * to, d), `decoder.${name}`, layer,
      `offsets of ${from} × ${to} weights and ${to} biases within the weights`));
}

/** Latents that are seen, beside the picture or as codes. */
function checkLatents(d) {
  const { beside, codes } = d;
  expect(beside === undefined || (typeof beside === "boolean" && (d.decoder !== null || d.film || !beside)),
    "beside", beside, "nothing, or true or false where a decoder makes the picture of latents, or a film is shown");
  expect(codes === undefined || (d.decoder !== null && d.visible > 0 && isCount(codes?.count) &&
    fits(codes.offset, 2, 2 * codes.count * d.visible, d)),
    "codes", codes, "nothing, or an offset and a count of codes within the weights where there is a decoder");
}

/** The operations of a step or of a decoder: `list` has buffers and ops; d is the description. */
function checkOps(list, d, checks) {
  const where = list === d ? "" : "decoder.";
  expect(Array.isArray(list.buffers) && list.buffers.every((size) => isCount(size) && size % LANES === 0),
    `${where}buffers`, list.buffers, "a list of sizes, each a multiple of 4");
  expect(Array.isArray(list.ops) && list.ops.length > 0, `${where}ops`, list.ops, "a list of operations");
  const sizes = [bufferSizes(d)[0], ...list.buffers];
  list.ops.forEach((op, i) => {
    const must = (name, fits, expected) =>
      expect(fits(op[name]), `${where}ops[${i}].${name}`, op[name], expected);
    const check = checks[op.kind];
    must("kind", () => Object.hasOwn(checks, op.kind), `one of ${Object.keys(checks).join(", ")}`);
    const is = {
      must,
      buffer: (name) => must(name, (v) => isNatural(v) && v < sizes.length,
        `a whole number less than ${sizes.length}`),
      /** Numbers of a buffer: `count` of them, from the field `offset` on if there is one. */
      part: (name, buffer, count, offset = 0) => must(name,
        (v) => isNatural(v) && offset % LANES === 0 && offset + padded(count ?? v) <= sizes[op[buffer]],
        `something that fits the ${sizes[op[buffer]]} numbers of buffer ${op[buffer]}`),
      count: (...names) => names.forEach((name) => must(name, isCount, "a whole number ≥ 1")),
      odd: (name) => must(name, (v) => isCount(v) && v % 2 === 1, "an odd number"),
      slope: () => must("slope", (v) => v >= 0 && v <= 1, "a slope in [0, 1]"),
      reach: (cells) => expect(Math.min(d.height, d.width) >= cells, "height, width",
        [d.height, d.width], `at least ${cells}, the reach of operation ${i}`),
      near: () => {
        must("near", isNatural, "a whole number ≥ 0");
        is.reach(op.near);
      },
      half: (name, count) => must(name, (v) => fits(v, 2, 2 * count, d),
        "an even offset within the weights"),
      float: (name, count) => must(name, (v) => fits(v, 4, 4 * count, d),
        "an offset, a multiple of 4, within the weights"),
      size: (name) => sizes[op[name]],
    };
    is.near();
    check(op, is, d);
  });
}

const CHECKS = {
  conv(op, is, d) {
    ["from", "to"].forEach(is.buffer);
    is.count("in", "out", "dilation", "bias_rows");
    is.odd("kernel");
    is.part("in", "from");
    is.part("offset", "to", op.out, op.offset);
    is.slope();
    is.must("add", (v) => typeof v === "boolean", "true or false");
    is.reach((op.kernel >> 1) * op.dilation);
    is.must("bias_rows", (v) => v === 1 || v === d.classes.length,
      `1 or ${d.classes.length}, the number of classes`);
    is.half("weight", op.kernel ** 2 * op.in * op.out);
    is.float("bias", op.bias_rows * op.out);
  },
  bank(op, is) {
    ["from", "to"].forEach(is.buffer);
    is.count("filters");
    is.part("offset", "to", op.filters * is.size("from"), op.offset);
    is.reach(1);
    is.float("weight", 9 * op.filters);
  },
  attend(op, is) {
    ["from", "to"].forEach(is.buffer);
    is.count("heads", "size");
    is.must("size", (v) => v % LANES === 0, "a multiple of 4");
    is.odd("kernel");
    is.must("kernel", (v) => v * v <= MOST_NEIGHBOURS, "at most 7");
    is.reach(op.kernel >> 1);
    is.part("heads", "from", 3 * op.heads * op.size);
    is.part("heads", "to", op.heads * op.size);
    is.must("scale", Number.isFinite, "a number");
    is.float("position", op.heads * op.kernel ** 2);
  },
  norm(op, is) {
    is.buffer("to");
    is.must("offset", isNatural, "a whole number ≥ 0");
    is.part("channels", "to", undefined, op.offset);
    is.must("eps", (v) => v > 0, "a number > 0");
    is.slope();
    is.float("weight", op.channels);
    is.float("bias", op.channels);
  },
  gelu(op, is) {
    is.buffer("to");
    is.part("channels", "to");
  },
  gather(op, is) {
    ["from", "where", "to"].forEach(is.buffer);
    is.odd("kernel");
    is.reach(op.kernel >> 1);
    is.part("kernel", "where", 3 * op.kernel ** 2);
    is.part("kernel", "to", op.kernel ** 2 * is.size("from"));
  },
};

const DECODER_CHECKS = {
  conv: CHECKS.conv,
  doubling(op, is) {
    ["from", "to"].forEach(is.buffer);
    is.count("in", "out");
    is.part("in", "from");
    is.must("out", (v) => padded(v) === is.size("to"), `the ${is.size("to")} numbers of buffer ${op.to}, or up to 3 less`);
    is.half("weight", 9 * op.in * op.out);
    is.float("bias", op.out);
  },
  groups(op, is) {
    is.buffer("to");
    is.part("channels", "to");
    is.must("channels", isCount, "a whole number ≥ 1");
    is.must("groups", (v) => isCount(v) && op.channels % v === 0, "a divisor of channels");
    is.must("eps", (v) => v > 0, "a number > 0");
    is.slope();
    is.float("weight", op.channels);
    is.float("bias", op.channels);
  },
};

export const isCount = (value) => Number.isInteger(value) && value >= 1;
export const isNatural = (value) => Number.isInteger(value) && value >= 0;

export const fits = (offset, align, length, d) =>
  Number.isInteger(offset) && offset >= 0 && offset % align === 0 &&
  offset + length <= d.weights_bytes;

/** Throws an Error in words unless a condition holds. */
export function expect(condition, name, given, expected) {
  if (condition) return;
  const said = typeof given === "number" ? String(given) : JSON.stringify(given) ?? "undefined";
  const brief = said.length > MOST_SAID ? `${said.slice(0, MOST_SAID)}…` : said;
  throw new Error(`live figure: ${name} is ${brief}; expected ${expected}`);
}

/** IEEE half-precision numbers, little-endian, as a Float32Array. */
export function decodeHalf(bytes, offset, count) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 2 * count);
  return finite(Float32Array.from({ length: count }, (_, i) => halfToNumber(view.getUint16(2 * i, true))), offset);
}

/** IEEE single-precision numbers, little-endian, as a Float32Array. */
export function decodeFloat(bytes, offset, count) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 4 * count);
  return finite(Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true)), offset);
}

function finite(numbers, offset) {
  if (numbers.every(Number.isFinite)) return numbers;
  throw new Error(`live figure: the weights from byte ${offset} on are not all numbers; ` +
    "expected those that the automaton was exported with");
}

function halfToNumber(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;  // zero and the subnormal numbers
  return exponent === 31 ? NaN : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bytes of a base64 string; throws where it is none. */
export function decodeBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
