// What a reader takes away from a training: weights as safetensors, an automaton for the live figure.

/** A safetensors file of float32 tensors, {name: {shape, data}}; `meta` is put into its header as JSON. */
export function safetensors(tensors, meta) {
  const header = { __metadata__: { meta: JSON.stringify(meta) } };
  let end = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: "F32", shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + padded + end).fill(32, 8, 8 + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(text, 8);
  for (const [name, { data }] of Object.entries(tensors)) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 8 + padded + header[name].data_offsets[0]);
  }
  return file;
}

/** What a file says of its weights: all that PyTorch needs to run them (ncabook.live.load_trained). */
export const metaOf = ({ channels, features, units, height, width }, iterations) => ({
  format: "ncabook-trained-in-the-page", version: 1, layout: { visible: 4, hidden: channels - 4 }, features,
  hidden: [units], fire_rate: 0.5, living_threshold: 0.1, height, width, iterations,
});

/** To the nearest whole number, and of two to the even one. */
function nearest(value) {
  const low = Math.floor(value);
  return value - low === 0.5 ? low + low % 2 : Math.round(value);
}

/** A number as the bits of a float16, rounded to nearest; what is too large becomes the largest. */
function half(value) {
  const size = Math.min(Math.abs(value), 65504);
  const sign = value < 0 ? 0x8000 : 0;
  if (size < 2 ** -14) return sign | nearest(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  return sign | (((exponent + 15) << 10) + nearest((size / 2 ** exponent - 1) * 1024));
}

/** The bytes that a description's operations read, of weights in the trainer's order and its parts. */
export function liveWeights(description, parts, weights) {
  const view = new DataView(new ArrayBuffer(description.weights_bytes));
  description.ops.forEach((op, layer) => {
    const [kernel, bias] = parts.slice(2 * layer, 2 * layer + 2);
    const numbers = (part) => weights.subarray(part.at, part.at + part.rows * part.columns);
    numbers(kernel).forEach((value, i) => view.setUint16(op.weight + 2 * i, half(value), true));
    numbers(bias).forEach((value, i) => view.setFloat32(op.bias + 4 * i, value, true));
  });
  return new Uint8Array(view.buffer);
}

/** Bytes as base64. */
export function base64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(text);
}

/** Hands bytes or text to the reader as a file. */
export function hand(content, name, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
