// Between a figure and its automata: a worker where the host allows one, so that no step ever
// blocks the page, else the page's own thread.

import { core } from "./core.js";

const WORKER = `"use strict";
let simulation;
const { Simulation } = (${core})();
onmessage = async ({ data: { id, message } }) => {
  try {
    if (message.kind === "create") {
      simulation = await Simulation.create(message.descriptions, message.weights);
    }
    const report = simulation.handle(message.kind === "create" ? { kind: "look" } : message);
    postMessage({ id, report }, (report.frames ?? []).map(({ data }) => data.buffer));
  } catch (error) {
    postMessage({ id, error: error.message });
  }
};`;

/** A function that sends a message and promises the report, and one that ends it all. */
export async function connect(descriptions, weights) {
  const link = startWorker() ?? startHere();
  try {
    return { ...link, first: await link.send({ kind: "create", descriptions, weights }) };
  } catch (error) {
    link.end();
    if (!(error instanceof BlockedError)) throw error;
    const here = startHere();
    return { ...here, first: await here.send({ kind: "create", descriptions, weights }) };
  }
}

/** The host has workers, and a policy that forbids this one; or the worker ended. */
class BlockedError extends Error {
  constructor() {
    super("The figure's worker has ended; load the page again.");
  }
}

let policy;  // of this script's own, where a page wants one for every script that is made of text

/** The address of a worker's script as the page wants it; throws where it wants none of ours. */
function trusted(url) {
  if (globalThis.trustedTypes === undefined) return url;
  policy ??= trustedTypes.createPolicy("nca-live", { createScriptURL: (address) => address });
  return policy.createScriptURL(url);
}

function startWorker() {
  let worker;
  const url = URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" }));
  try {
    worker = new Worker(trusted(url));
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(url);
  }
  const waiting = new Map();
  let sent = 0;
  const settle = (id, how, value) => {
    waiting.get(id)?.[how](value);
    waiting.delete(id);
  };
  worker.onmessage = ({ data: { id, report, error } }) => {
    if (error === undefined) settle(id, "resolve", report);
    else settle(id, "reject", new Error(error));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    for (const id of [...waiting.keys()]) settle(id, "reject", new BlockedError());
  };
  return {
    inWorker: true,
    send: (message) => new Promise((resolve, reject) => {
      sent += 1;
      waiting.set(sent, { resolve, reject });
      worker.postMessage({ id: sent, message });
    }),
    end: () => worker.terminate(),
  };
}

function startHere() {
  const { Simulation } = core();
  let simulation;
  return {
    inWorker: false,
    send: async (message) => {
      if (message.kind === "create") {
        simulation = await Simulation.create(message.descriptions, message.weights);
      }
      return simulation.handle(message.kind === "create" ? { kind: "look" } : message);
    },
    end: () => { simulation = undefined; },
  };
}
