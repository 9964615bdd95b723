// The kernels' memory, handed out piece by piece.

import { padded } from "./description.js";

const PAGE_BYTES = 65536;
const ALIGNMENT = 16;

export class NoMemoryError extends Error {}

export class Memory {
  constructor(kernels) {
    this.kernels = kernels;
    this.memory = kernels.memory;
    this.heap = { free: kernels.__heap_base.value };
  }

  /** Reserves zeroed bytes for as long as the engine lives. */
  allocate(bytes) {
    const start = (this.heap.free + ALIGNMENT - 1) & -ALIGNMENT;
    this.heap.free = start + bytes;
    const missing = this.heap.free - this.memory.buffer.byteLength;
    try {
      if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE_BYTES));
    } catch {
      throw new NoMemoryError(`live figure: no memory; ${this.heap.free} bytes are needed at least`);
    }
    return start;
  }

  floats(start, count) {
    return new Float32Array(this.memory.buffer, start, count);
  }

  /** Copies `rows` rows of numbers into new memory, each padded with zeros to whole vectors. */
  place(values, rows) {
    const start = this.allocate(4 * rows * padded(values.length / rows));
    this.put(values, rows, start);
    return start;
  }

  /** The same, into the memory at `start`. */
  put(values, rows, start) {
    const length = values.length / rows;
    const target = this.floats(start, rows * padded(length));
    for (let row = 0; row < rows; row++) {
      target.set(values.subarray(row * length, (row + 1) * length), row * padded(length));
    }
  }
}
