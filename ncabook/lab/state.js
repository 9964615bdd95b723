// A state as a file: NumPy's .npy, so that np.load has its cells, float32 [rows, columns, channels]. Behind
// them, as further arrays of the same file, stand what is to be known of them (JSON as bytes: model,
// step, class …) and the arrays that it names. ncabook.live.load_state reads the same.
//
// Files come from anywhere: whatever is wrong with one is told in a sentence that begins with its name.
"use strict";
globalThis.ncaState = (() => {
  const FORMAT = "ncabook-state";
  const VERSION = 1;
  const MOST_BYTES = 2 ** 28;
  const MAGIC = [0x93, ...new TextEncoder().encode("NUMPY")];
  const MOST_SAID = 60;  // letters of a file's or a model's name
  const FLOATS = "<f4";
  const BYTES = "|u1";
  // What may stand behind the cells: the rule of each cell; the second automaton, of guidance; how far a film is.
  const FURTHER = { rules: BYTES, unguided: FLOATS, film: FLOATS };

  const brief = (text) => (text.length > MOST_SAID ? `${text.slice(0, MOST_SAID)}…` : text);
  const whole = (number) => number.toLocaleString("en");

  // --- Writing ----------------------------------------------------------------------------------

  /** One array as .npy. */
  function array(descr, shape, numbers) {
    const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(", ")}${shape.length === 1 ? "," : ""}), }`;
    const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
    const file = new Uint8Array(10 + length + numbers.byteLength).fill(32, 0, 10 + length);
    file.set([...MAGIC, 1, 0, length & 255, length >> 8]);
    file.set(new TextEncoder().encode(text), 10);
    file[9 + length] = 10;
    file.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), 10 + length);
    return file;
  }

  /**
   * A file's bytes.
   *
   * @param {object} snapshot what a figure's player gives
   * @param {object} description of its automaton
   * @param {string} model by its name on the shelf
   */
  function write({ cells, rest, rules, planted, ...moment }, description, model) {
    const { height, width, channels, classes, seed } = description;
    const further = {};
    if (description.rules) further.rules = array(BYTES, [height, width], rules);
    if (description.free) further.unguided = array(FLOATS, [height, width, channels], rest);
    else if (rest.length > 0) further.film = array(FLOATS, [rest.length], rest);
    const { step, classIndex, degrees, weight } = moment;
    const told = {
      format: FORMAT, version: VERSION, model, step, seed, class_index: classIndex,
      class_name: classes[classIndex]?.name ?? null, degrees, weight,
      planted: planted.map(({ row, column }) => [row, column]), arrays: Object.keys(further),
    };
    const text = new TextEncoder().encode(JSON.stringify(told));
    const parts = [array(FLOATS, [height, width, channels], cells), array(BYTES, [text.length], text), ...Object.values(further)];
    const file = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let end = 0;
    for (const part of parts) {
      file.set(part, end);
      end += part.length;
    }
    return file;
  }

  // --- Reading ----------------------------------------------------------------------------------

  const isArray = (bytes, at = 0) => MAGIC.every((byte, i) => bytes[at + i] === byte);

  /** The array that begins at a byte: {descr, shape, numbers (bytes), end}. */
  function arrayAt(bytes, at, wrong) {
    if (!isArray(bytes, at)) throw wrong("has something behind its cells that is no array");
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const long = bytes[at + 6] > 1;  // of the format of NumPy's files there are three versions
    const first = at + (long ? 12 : 10);
    if (bytes.length < first) throw wrong("is cut short: it ends within a header");
    const start = first + (long ? view.getUint32(at + 8, true) : view.getUint16(at + 8, true));
    if (bytes.length < start) throw wrong("is cut short: it ends within a header");
    const text = new TextDecoder("latin1").decode(bytes.subarray(first, start));
    const [, descr] = /'descr':\s*'([^']{1,20})'/.exec(text) ?? [];
    const [, sizes] = /'shape':\s*\(([\d,\s]*)\)/.exec(text) ?? [];
    const [, order] = /'fortran_order':\s*(True|False)/.exec(text) ?? [];
    if (descr === undefined || sizes === undefined || order === undefined) throw wrong("is no state: its header tells no shape or type");
    const shape = sizes.split(",").filter((size) => size.trim() !== "").map(Number);
    if (order === "True" && shape.length > 1) throw wrong("has its numbers column by column; save np.ascontiguousarray of it");
    const size = { [FLOATS]: 4, [BYTES]: 1 }[descr];
    if (size === undefined) throw wrong(`holds numbers of type ${descr}; a state has float32 ones (${FLOATS})`);
    const length = size * shape.reduce((product, n) => product * n, 1);
    const there = bytes.length - start;
    if (there < length) throw wrong(`is cut short: ${whole(there)} of ${whole(length)} bytes of its numbers are there`);
    return { descr, shape, numbers: Uint8Array.from(bytes.subarray(start, start + length)), end: start + length };
  }

  /** What is told of the cells, and the arrays that it names. */
  function furtherOf(bytes, at, wrong) {
    const told = arrayAt(bytes, at, wrong);
    let values;
    try {
      values = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(told.numbers));
    } catch {
      values = null;
    }
    if (values?.format !== FORMAT) throw wrong("has something behind its cells that does not tell of a state");
    if (values.version !== VERSION) {
      throw wrong(`is of version ${brief(String(values.version))} of these files; this page reads version ${VERSION}`);
    }
    const { model, planted, arrays } = values;
    const isPair = (pair) => Array.isArray(pair) && pair.length === 2;
    if (typeof model !== "string" || !Array.isArray(planted) || !planted.every(isPair) || !Array.isArray(arrays)) {
      throw wrong("does not tell its model, seeds or arrays");
    }
    const further = {};
    let { end } = told;
    for (const name of arrays) {
      if (!Object.hasOwn(FURTHER, name)) throw wrong(`names an array that no state has: ${brief(String(name))}`);
      if (end === bytes.length) throw wrong(`is cut short: ${name} is not there`);
      const { descr, numbers, end: next } = arrayAt(bytes, end, wrong);
      if (descr !== FURTHER[name]) throw wrong(`holds ${name} of type ${descr}; expected ${FURTHER[name]}`);
      further[name] = descr === FLOATS ? new Float32Array(numbers.buffer) : numbers;
      end = next;
    }
    if (end !== bytes.length) throw wrong("goes on behind what it tells of");
    return { values, further };
  }

  /** Refuses what is no number, and says where the first one is. */
  function checkFinite(cells, [, columns, channels], wrong) {
    const first = cells.findIndex((value) => !Number.isFinite(value));
    if (first < 0) return;
    const cell = Math.floor(first / channels);
    throw wrong(`holds a number that is not finite: ${cells[first]} in row ${Math.floor(cell / columns) + 1}, ` +
      `column ${cell % columns + 1}, channel ${first % channels}`);
  }

  /**
   * What a file holds: {name, height, width, channels, model, snapshot}. Of a file that has cells and
   * nothing else, `model` is null, and the snapshot has the cells only.
   *
   * @throws {Error} in a sentence, if it is no state
   */
  function read(bytes, name) {
    const wrong = (text) => new Error(`${brief(name)} ${text}`);
    if (bytes.length === 0) throw wrong("is empty");
    if (!isArray(bytes)) throw wrong("is no state: it does not begin as a .npy file does");
    const { descr, shape, numbers, end } = arrayAt(bytes, 0, wrong);
    if (descr !== FLOATS || shape.length !== 3 || shape.some((size) => size < 1)) {
      throw wrong(`is no state: it holds [${shape.join(", ")}] of type ${descr}, and a state is ${FLOATS} [rows, columns, channels]`);
    }
    const cells = new Float32Array(numbers.buffer);
    checkFinite(cells, shape, wrong);
    const [height, width, channels] = shape;
    if (end === bytes.length) return { name: brief(name), height, width, channels, model: null, snapshot: { cells } };
    const { values, further: { rules, unguided, film } } = furtherOf(bytes, end, wrong);
    const { model, step, class_index: classIndex, degrees, weight } = values;
    const planted = values.planted.map(([row, column]) => ({ row, column }));
    const snapshot = { cells, rest: unguided ?? film, rules, planted, step, classIndex, degrees, weight };
    return { name: brief(name), height, width, channels, model, snapshot };
  }

  /** The same of a File; of what is none, little is read. */
  async function open(file) {
    const wrong = (text) => new Error(`${brief(file.name)} ${text}`);
    const content = async (part) => {
      try {
        return new Uint8Array(await part.arrayBuffer());
      } catch {
        throw wrong("cannot be read");
      }
    };
    const head = await content(file.slice(0, MAGIC.length));
    if (!isArray(head)) return read(head, file.name);
    if (file.size > MOST_BYTES) throw wrong(`is too large: ${whole(file.size)} bytes, and ${whole(MOST_BYTES)} are read at most`);
    return read(await content(file), file.name);
  }

  /**
   * Whether a file's state can be one of an automaton: on the canvas of the number that is returned;
   * null where it has one canvas only.
   *
   * @throws {Error} in a sentence, if it cannot
   */
  function canvasOf({ name, height, width, channels }, description, model) {
    if (channels !== description.channels) {
      throw new Error(`${name} has ${channels} channels in each cell; ${brief(model)} has ${description.channels}`);
    }
    const sizes = description.sizes ?? [[description.height, description.width]];
    const index = sizes.findIndex(([rows, columns]) => rows === height && columns === width);
    if (index < 0) {
      const words = sizes.map(([rows, columns]) => `${columns} × ${rows}`).join(", ");
      throw new Error(`${name} has a grid of ${width} × ${height} cells; ${brief(model)} lives on ${words}`);
    }
    return description.sizes ? index : null;
  }

  return { write, read, open, canvasOf };
})();
