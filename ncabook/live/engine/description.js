// What the engine is given: a description (JSON) and its weights (bytes), as ncabook.live.describe
// writes them. Everything is checked here, once, so that the engine itself need not doubt.

const VERSION = 1;

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
  checkLayers(description);
  if (weights.byteLength !== description.weights_bytes) {
    throw new Error(`live figure: ${weights.byteLength} bytes of weights, ` +
      `the description expects ${description.weights_bytes}`);
  }
}

function checkNumbers(d) {
  for (const name of ["height", "width", "channels", "weights_bytes"]) {
    expect(isCount(d[name]), name, d[name], "a whole number ≥ 1");
  }
  expect(Number.isInteger(d.alpha) && d.alpha >= 3 && d.alpha < d.channels,
    "alpha", d.alpha, "the index of the channel after red, green and blue");
  expect(d.fire_rate > 0 && d.fire_rate <= 1, "fire_rate", d.fire_rate, "a probability in (0, 1]");
  expect(d.living_threshold === null || Number.isFinite(d.living_threshold),
    "living_threshold", d.living_threshold, "a number or null");
  expect(Number.isInteger(d.seed), "seed", d.seed, "a whole number");
  expect(Array.isArray(d.classes), "classes", d.classes, "a list");
  const last = Math.max(0, d.classes.length - 1);
  expect(Number.isInteger(d.class_index) && d.class_index >= 0 && d.class_index <= last,
    "class_index", d.class_index, `a whole number from 0 to ${last}`);
}

function checkLayers(d) {
  expect(Array.isArray(d.layers) && d.layers.length > 0, "layers", d.layers, "a list of layers");
  let given = d.channels;
  d.layers.forEach((layer, i) => {
    const at = (name) => `layers[${i}].${name}`;
    expect(layer.kind === "conv", at("kind"), layer.kind, '"conv", the only kind known so far');
    expect(layer.in === given, at("in"), layer.in, `${given}, what it is given`);
    for (const name of ["out", "kernel", "dilation", "bias_rows"]) {
      expect(isCount(layer[name]), at(name), layer[name], "a whole number ≥ 1");
    }
    expect(layer.kernel % 2 === 1, at("kernel"), layer.kernel, "an odd number");
    const reach = (layer.kernel >> 1) * layer.dilation;
    expect(Math.min(d.height, d.width) >= reach, "height, width", [d.height, d.width],
      `at least ${reach}, the reach of layer ${i}`);
    expect(layer.leaky === null || (layer.leaky > 0 && layer.leaky < 1),
      at("leaky"), layer.leaky, "a slope in (0, 1) or null");
    expect(layer.bias_rows === 1 || layer.bias_rows === d.classes.length,
      at("bias_rows"), layer.bias_rows, `1 or ${d.classes.length}, the number of classes`);
    expect(fits(layer.weight, 2, 2 * layer.kernel ** 2 * layer.in * layer.out, d),
      at("weight"), layer.weight, "an even offset within the weights");
    expect(fits(layer.bias, 4, 4 * layer.bias_rows * layer.out, d),
      at("bias"), layer.bias, "an offset, a multiple of 4, within the weights");
    given = layer.out;
  });
  expect(given === d.channels, `layers[${d.layers.length - 1}].out`, given,
    `${d.channels}, the channels of the state`);
}

const isCount = (value) => Number.isInteger(value) && value >= 1;

const fits = (offset, align, length, d) =>
  Number.isInteger(offset) && offset >= 0 && offset % align === 0 &&
  offset + length <= d.weights_bytes;

function expect(condition, name, given, expected) {
  if (!condition) {
    throw new Error(`live figure: ${name} is ${JSON.stringify(given)}; expected ${expected}`);
  }
}

/** IEEE half-precision numbers, little-endian, as a Float32Array. */
export function decodeHalf(bytes, offset, count) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 2 * count);
  return Float32Array.from({ length: count }, (_, i) => halfToNumber(view.getUint16(2 * i, true)));
}

/** IEEE single-precision numbers, little-endian, as a Float32Array. */
export function decodeFloat(bytes, offset, count) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 4 * count);
  return Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
}

function halfToNumber(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;  // zero and the subnormal numbers
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);  // infinities are not exported
}

/** The bytes of a base64 string. */
export function decodeBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
