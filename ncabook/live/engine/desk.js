// Between the figure that trains and its classroom: a worker where the host allows one, so that no
// iteration blocks the page, else the page's own thread.

const DESK = `"use strict";
let room;
const { Classroom } = (${core})();
onmessage = async ({ data: { id, message } }) => {
  try {
    if (message.kind === "create") room = await Classroom.create(message);
    postMessage({ id, report: room.handle(message) });
  } catch (error) {
    postMessage({ id, error: error.message });
  }
};`;

function inWorker() {
  const url = URL.createObjectURL(new Blob([DESK], { type: "text/javascript" }));
  let worker;
  try {
    worker = new Worker(url);
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(url);
  }
  const waiting = new Map();
  let sent = 0;
  worker.onmessage = ({ data: { id, report, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(report);
    else reject(new Error(error));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    for (const { reject } of waiting.values()) reject(new BlockedDeskError());
    waiting.clear();
  };
  const send = (message) => new Promise((resolve, reject) => {
    sent += 1;
    waiting.set(sent, { resolve, reject });
    worker.postMessage({ id: sent, message });
  });
  return { send, end: () => worker.terminate() };
}

class BlockedDeskError extends Error {
  constructor() {
    super("The figure's worker has ended; load the page again.");
  }
}

function inPage() {
  let room;
  const send = async (message) => {
    await new Promise((go) => setTimeout(go));  // the page has its turn
    if (message.kind === "create") room = await Classroom.create(message);
    return room.handle(message);
  };
  return { send, end: () => { room = undefined; } };
}

/** `send`, which promises reports of messages, the first report, and `end`. */
export async function sit(message) {
  const desk = inWorker() ?? inPage();
  try {
    return { ...desk, first: await desk.send(message) };
  } catch (error) {
    desk.end();
    if (!(error instanceof BlockedDeskError)) throw error;
    const here = inPage();
    return { ...here, first: await here.send(message) };
  }
}
