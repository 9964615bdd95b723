// What can be done to an automaton between two steps. Events also come from elsewhere, in links and
// messages: here is what they may say, once for all.

import { expect } from "./description.js";

export const MOST_STEPS = 1e7;  // of a moment that can be told
export const MOST_EVENTS = 20000;  // kept of an automaton's past, and told of it

const FAR = 1e6;  // cells; a brush may leave the grid
const MOST_WEIGHT = 10;
export const MOST_SPEED = 64;  // pixels a frame
const COIN = 2 ** 32 - 1;
const SHAPES = ["circle", "square", "half"];

const numberIn = (least, most) => ({
  fits: (value) => Number.isFinite(value) && value >= least && value <= most,
  expected: `a number from ${least} to ${most}`,
});
const wholeIn = (least, most) => ({
  fits: (value) => Number.isInteger(value) && value >= least && value <= most,
  expected: `a whole number from ${least} to ${most}`,
});
const orNothing = ({ fits, expected }) => ({
  fits: (value) => value === undefined || fits(value), expected: `nothing, or ${expected}`,
});
const lastOf = (list) => Math.max(0, (list?.length ?? 0) - 1);

const WHERE = {
  shape: { fits: (value) => SHAPES.includes(value), expected: `one of ${SHAPES.join(", ")}` },
  x: numberIn(-FAR, FAR),
  y: numberIn(-FAR, FAR),
  size: numberIn(0, FAR),
};
const SALT = orNothing(wholeIn(0, COIN));

/** Each kind of event: its fields, which may depend on the description, and what it does. */
const EVENTS = {
  erase: {
    fields: () => ({ ...WHERE, share: orNothing(numberIn(0, 1)), salt: SALT }),
    apply: (engine, values) => engine.erase(values),
  },
  draw: {
    fields: () => ({ ...WHERE, value: numberIn(0, 1) }),
    apply: (engine, values) => engine.draw(values),
  },
  paint: {
    fields: ({ inks }) => ({ ...WHERE, ink: wholeIn(0, lastOf(inks)) }),
    apply: (engine, values) => engine.paint(values),
  },
  disturb: {
    fields: () => ({ ...WHERE, sigma: numberIn(0, 10), salt: SALT }),
    apply: (engine, values) => engine.disturb(values),
  },
  graft: {
    fields: ({ rules }) => ({ ...WHERE, rule: wholeIn(0, lastOf(rules)) }),
    apply: (engine, values) => engine.graft(values),
  },
  plant: {
    fields: () => ({ x: wholeIn(-FAR, FAR), y: wholeIn(-FAR, FAR) }),
    apply: (engine, { x, y }) => engine.plant(x, y),
  },
  mutate: {
    fields: ({ classes }) => ({ index: wholeIn(0, lastOf(classes)) }),
    apply: (engine, { index }) => engine.setClass(index),
  },
  choose: {
    fields: ({ classes }) => ({ index: wholeIn(0, lastOf(classes)) }),
    apply: (engine, { index }) => engine.choose(index),
  },
  turn: {
    fields: () => ({ degrees: numberIn(-360, 360) }),
    apply: (engine, { degrees }) => engine.turn(degrees),
  },
  watch: {
    fields: () => ({ alone: { fits: (value) => typeof value === "boolean", expected: "true or false" } }),
    apply: (engine, values) => engine.watch(values),
  },
  throw: {
    fields: ({ film: { throws: [, count] } }) => ({
      digit: wholeIn(0, count - 1), x: numberIn(-FAR, FAR), y: numberIn(-FAR, FAR),
      down: numberIn(-MOST_SPEED, MOST_SPEED), right: numberIn(-MOST_SPEED, MOST_SPEED),
    }),
    apply: (engine, values) => engine.throw(values),
  },
  guide: {
    fields: () => ({ weight: numberIn(-MOST_WEIGHT, MOST_WEIGHT) }),
    apply: (engine, { weight }) => engine.guide(weight),
  },
};

function checkFields(name, fields, given) {
  for (const [field, { fits, expected }] of Object.entries(fields)) {
    expect(fits(given[field]), `${name}${field}`, given[field], expected);
  }
}

/** Throws an Error in words if something is no event of the automaton of a description. */
export function checkEvent(event, description, name = "event") {
  const { turns, free, inks, rules, fixed, film } = description;
  const can = {
    turn: turns !== undefined, guide: free !== undefined, paint: Boolean(inks), graft: Boolean(rules),
    draw: film ? film.walls : fixed > 0, watch: Boolean(film), throw: film?.throws[1] > 0,
  };
  const kinds = Object.keys(EVENTS).filter((kind) => can[kind] ?? true);
  expect(kinds.includes(event?.kind), `${name}.kind`, event?.kind, `one of ${kinds.join(", ")}`);
  checkFields(`${name}.`, EVENTS[event.kind].fields(description), event);
}

/** Does to an engine what an event says. */
export const applyEvent = (engine, { kind, step, ...values }) => EVENTS[kind].apply(engine, values);

/**
 * Throws an Error in words if a moment cannot be one of the automaton of a description: {step,
 * canvas, classIndex, degrees, weight, events}.
 */
export function checkMoment(moment, description) {
  const { classes, sizes, turns, free } = description;
  checkFields("", {
    step: wholeIn(0, MOST_STEPS),
    canvas: orNothing(wholeIn(0, lastOf(sizes))),
    classIndex: wholeIn(0, lastOf(classes)),
    degrees: orNothing(turns === undefined ? wholeIn(0, 0) : numberIn(-360, 360)),
    weight: orNothing(free === undefined ? wholeIn(1, 1) : numberIn(-MOST_WEIGHT, MOST_WEIGHT)),
  }, moment);
  const { events, step } = moment;
  expect(Array.isArray(events) && events.length <= MOST_EVENTS,
    "events", events, `a list of at most ${MOST_EVENTS}`);
  let earlier = 0;
  events.forEach((event, i) => {
    checkEvent(event, description, `events[${i}]`);
    checkFields(`events[${i}].`, { step: wholeIn(earlier, step) }, event);
    earlier = event.step;
  });
}
