// What a file keeps of an automaton, so that it goes on elsewhere as it would have gone on here.

import { expect } from "./description.js";
import { checkMoment } from "./events.js";

/**
 * Cells, [row][column][channel]; what there is beside them, of which only the engine knows what it says;
 * the rule that each cell obeys; seeds planted since the last step.
 */
export function snapshotOf(engine) {
  const { state, ruleMap, fresh, cellCount, channels } = engine;
  const length = cellCount * channels;
  return {
    cells: state.slice(0, length),
    rest: state.slice(length),
    rules: ruleMap.slice(),
    planted: fresh.map(({ row, column }) => ({ row, column })),
  };
}

/**
 * Throws an Error in words if a snapshot cannot be one of an engine's automaton: {step, classIndex,
 * degrees, weight, cells, rest, rules, planted}; of the last three, what is left out stays, or begins anew.
 */
export function checkSnapshot({ cells, rest = [], rules = [], planted = [], ...moment }, engine) {
  const { height, width, channels, cellCount, description } = engine;
  checkMoment({ ...moment, events: [] }, description);
  const length = cellCount * channels;
  expect(cells?.length === length && cells.every(Number.isFinite), "cells", `${cells?.length} numbers`,
    `${length} finite ones, ${height} rows of ${width} cells of ${channels} channels`);
  const last = (description.rules?.length ?? 1) - 1;
  expect(rules.length === 0 || (rules.length === cellCount && rules.every((rule) => rule <= last)),
    "rules", `${rules.length} numbers`, `none, or ${cellCount} from 0 to ${last}`);
  const inside = ({ row, column }) => [[row, height], [column, width]]
    .every(([at, end]) => Number.isInteger(at) && at >= 0 && at < end);
  expect(planted.length === 0 || (description.ring && planted.length <= cellCount && planted.every(inside)),
    "planted", planted, description.ring ? "cells of the grid" : "no seeds");
  expect(engine.fits(rest, moment.step), "what lies beside the cells", `${rest.length} numbers`, "what this automaton keeps there");
}

/** The timeline's present with the first automaton as a snapshot has it. */
export function withSnapshot({ states: [, ...states], maps: [map, ...maps], planted: [, ...others] }, snapshot) {
  const { cells, rest = [], rules = [], planted = [], step, classIndex, degrees, weight } = snapshot;
  const state = new Float32Array(cells.length + rest.length);
  state.set(cells);
  state.set(rest, cells.length);
  return {
    states: [state, ...states],
    maps: [rules.length > 0 ? Uint8Array.from(rules) : map, ...maps],
    planted: [planted.map((place) => ({ ...place, step })), ...others],
    settings: { classIndex, degrees, weight },
    before: 0,
  };
}
