/**
 * Learning, in the worker: its actions, loaded when one of them is first asked for.
 *
 * A run goes on for some milliseconds, then the worker looks for messages: so a prediction is served meanwhile, by the network as
 * it is right now, and a run can be steered and cancelled. Several runs take turns.
 */

import { dataBytes, dataFile } from "./image-sets.js";

/** @typedef {{action?: string, learning_rate?: number, run?: number}} Order */
/** @typedef {(value: any) => void} Progress */
/** @typedef {{images: Uint8Array, labels: Int8Array}} OwnImages */

const TURN = 5; // ms of work between two looks for messages; a large network's slice, of some 15, goes beyond
const REPORT_EVERY = 50; // ms; a curve does not need more
const SIGN_OF_LIFE = 2000; // ms, of a run that is paused: the page takes a silent worker for dead

/**
 * @param {{pyodide: any, session: any, files: Record<string, FileAsset>, modules: () => Promise<void>, whole: () => Promise<void>,
 *   reporting: <T>(work: Promise<T>, report: () => void) => Promise<T>, toJs: (proxy: any) => any, overtake: () => void}} worker
 *   modules: all that Python can import is there; whole: its own functions are; reporting: the work, with a sign of life now and then;
 *   overtake: a model that was chosen before, and is still on its way, is not wanted any more
 * @returns {Record<string, (fields: any, progress: Progress, id: number) => any>}
 */
export function learningActions({ pyodide, session, files, modules, whole, reporting, toJs, overtake }) {
  /** @type {Map<number, Job>} */
  const jobs = new Map();
  /** @type {any} proxy of inkling.lessons.Lessons */
  let lessons;

  /** Has all of Python there, and says meanwhile that the worker is alive. @param {Progress} progress */
  async function ready(progress) {
    await reporting(modules(), () => progress({ stage: "data", loaded: 0, total: 1 }));
    lessons ??= session.lessons();
  }

  /** Waits for the functions of Python that are not there at first. @param {Progress} progress */
  const all = (progress) => reporting(whole(), () => progress({ stage: "data", loaded: 0, total: 1 }));

  /** @type {Map<string, Promise<void>>} those that are on their way, for all who wait */
  const coming = new Map();

  /**
   * Has the data set there, from what is kept or from the network, and says meanwhile that the worker is alive.
   * @param {string} name
   * @param {Progress} progress
   */
  async function bring(name, progress) {
    if (lessons.has_data(name)) return;
    const file = dataFile(files, `${name}.npz`);
    if (!file) throw Object.assign(new Error(`There is no data set "${name}" here.`), { name: "DataError", hint: "The site has all of them; the single file carries the small ones." });
    let loaded = 0;
    const report = () => progress({ stage: "data", loaded, total: file.bytes });
    const fetched = async () => {
      const bytes = await dataBytes(file, (more) => {
        loaded += more;
        report();
      });
      withBuffer(bytes, (buffer) => lessons.add_data(name, buffer));
    };
    if (!coming.has(name)) coming.set(name, fetched().finally(() => coming.delete(name)));
    await reporting(/** @type {Promise<void>} */ (coming.get(name)), report);
  }

  /** @template T @param {Uint8Array | Int8Array} bytes @param {(buffer: any) => T} use */
  function withBuffer(bytes, use) {
    const buffer = pyodide.toPy(bytes);
    try {
      return use(buffer);
    } finally {
      buffer.destroy();
    }
  }

  /** @template T @param {OwnImages} images @param {(images: any, labels: any) => T} use */
  const withImages = ({ images, labels }, use) => withBuffer(images, (pixels) => withBuffer(labels, (digits) => use(pixels, digits)));

  /**
   * Hands on a name of a data set, once it is here, or images: what Python's functions take.
   * @template T
   * @param {string | OwnImages} source
   * @param {Progress} progress
   * @param {Job} job
   * @param {(name: string | null, images?: any, labels?: any) => T} use
   */
  async function withData(source, progress, job, use) {
    if (typeof source === "string") await bring(source, progress);
    if (job.cancelled) throw cancelled();
    return typeof source === "string" ? use(source) : withImages(source, (images, labels) => use(null, images, labels));
  }

  /** A new run, or one that goes on: a proxy of inkling.learning.Run. @param {any} fields @param {Progress} progress @param {Job} job */
  async function begin({ mode, settings, data: source, live, resume }, progress, job) {
    if (resume) {
      const name = withBuffer(resume, (bytes) => lessons.data_of(bytes));
      return withData(name ?? source, progress, job, (_, images, labels) => withBuffer(resume, (bytes) => lessons.resume(bytes, live, images, labels)));
    }
    if (mode === "fine-tune") await bring("rehearsal", progress);
    return withData(source, progress, job, (name, images, labels) => lessons.start(JSON.stringify({ mode, settings, live, data: name }), images, labels));
  }

  /** @param {any} fields @param {Progress} progress @param {Job} job */
  async function train(fields, progress, job) {
    if (fields.live) overtake();
    const run = await job.unlessCancelled(begin(fields, progress, job));
    let [reported, saved, state] = [-Infinity, performance.now(), ""];
    let [savedStep, isRateNew] = [-1, false];
    const checkpoint = () => {
      const bytes = run.checkpoint();
      const copy = bytes.toJs();
      bytes.destroy();
      return copy;
    };
    job.steer = ({ action, learning_rate: rate }) => {
      if (rate !== undefined) run.set_learning_rate(rate);
      isRateNew ||= rate !== undefined;
      if (action !== undefined) run.steer(action);
    };
    try {
      for (let busy = true; busy || run.state === "paused" || run.state === "running"; ) {
        busy = run.advance(TURN);
        const now = performance.now();
        const isNew = run.state !== state;
        state = run.state;
        const isToSave = fields.checkpointEvery && (run.n_steps !== savedStep || isRateNew) && (!busy || now > saved + fields.checkpointEvery);
        if (isNew || isToSave || now > reported + (busy ? REPORT_EVERY : 0)) {
          // In one message: whoever hears that it pauses has its checkpoint, too, and may close the page.
          progress({ run: job.id, ...toJs(run.report()), ...(isToSave ? { checkpoint: checkpoint() } : {}) });
          reported = now;
          if (isToSave) [saved, savedStep, isRateNew] = [now, run.n_steps, false];
        }
        await (state === "paused" ? job.idle(SIGN_OF_LIFE) : turn());
        if (job.cancelled) throw cancelled();
      }
      return toJs(run.result());
    } catch (error) {
      lessons.take_back(run);
      throw error;
    } finally {
      run.destroy();
    }
  }

  /**
   * All of some images' slices, each in its turn.
   * @param {any} work proxy of an inkling.lessons.Examination or inkling.finetuning.Rehearsal
   * @param {string} stage
   * @param {Progress} progress
   * @param {Job} job
   */
  async function goThrough(work, stage, progress, job) {
    for (let reported = -Infinity; work.advance(); await turn()) {
      if (job.cancelled) throw cancelled();
      if (performance.now() < reported + REPORT_EVERY) continue;
      reported = performance.now();
      progress({ stage, loaded: work.done, total: work.total });
    }
    progress({ stage, loaded: work.total, total: work.total });
  }

  /** What fine-tuning the network that answers will need of the stored set. @param {any} _ @param {Progress} progress @param {Job} job */
  async function prepare(_, progress, job) {
    await job.unlessCancelled(bring("rehearsal", progress));
    const rehearsal = lessons.rehearsal();
    try {
      await goThrough(rehearsal, "preparing", progress, job);
    } finally {
      rehearsal.destroy();
    }
    return null;
  }

  /** @param {{data: string | OwnImages, mistakes: number}} fields @param {Progress} progress @param {Job} job */
  async function evaluate({ data: source, mistakes }, progress, job) {
    const examination = await job.unlessCancelled(withData(source, progress, job, (name, images, labels) => lessons.examine(name, images, labels, mistakes)));
    try {
      await goThrough(examination, "evaluating", progress, job);
      return toJs(examination.result());
    } finally {
      examination.destroy();
    }
  }

  /** An action that takes its time, and can be cancelled. @param {(fields: any, progress: Progress, job: Job) => Promise<any>} work */
  const asJob = (work) => async (/** @type {any} */ fields, /** @type {Progress} */ progress, /** @type {number} */ id) => {
    const job = new Job(id);
    jobs.set(id, job);
    try {
      await job.unlessCancelled(ready(progress));
      return await work(fields, progress, job);
    } finally {
      jobs.delete(id);
    }
  };

  return {
    train: asJob(train),
    prepare: asJob(prepare),
    evaluate: asJob(evaluate),
    cancel: ({ target }) => jobs.get(target)?.cancel(),
    steer({ run, ...order }) {
      const meant = [...jobs.values()].filter(({ id }) => run === undefined || id === run); // none, if it has ended
      for (const job of meant) job.steer?.(order);
      for (const job of meant) job.wake();
      return null;
    },
    async checkSettings({ settings }, progress) {
      await ready(progress);
      return toJs(lessons.check(JSON.stringify(settings)));
    },
    async getWeights(_, progress) {
      await all(progress);
      return toJs(session.weights());
    },
    async setWeights({ npz, called }, progress) {
      overtake();
      await all(progress);
      return withBuffer(npz, (bytes) => toJs(session.use_model(called, bytes)));
    },
    async resetWeights(_, progress) {
      overtake();
      await all(progress);
      return toJs(session.reset());
    },
  };
}

/** A request that takes its time. */
class Job {
  cancelled = false;
  /** @type {((order: Order) => void) | undefined} */
  steer;
  wake = () => {};
  #abort = () => {};
  #aborted = new Promise((_, reject) => (this.#abort = () => reject(cancelled())));

  /** @param {number} id of the request */
  constructor(id) {
    this.id = id;
    this.#aborted.catch(() => {}); // who waits for something hears of it
  }

  cancel() {
    this.cancelled = true;
    this.#abort();
    this.wake();
    return null;
  }

  /** The promise, or an error as soon as the job is cancelled. @template T @param {Promise<T>} promise @returns {Promise<T>} */
  unlessCancelled(promise) {
    return /** @type {Promise<T>} */ (Promise.race([promise, this.#aborted]));
  }

  /** Waits for `wake`, at most so many milliseconds. @param {number} longest @returns {Promise<void>} */
  idle(longest) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, longest);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const cancelled = () => Object.assign(new Error("It was cancelled."), { name: "AbortError" });

const channel = new MessageChannel();
/** @type {(() => void)[]} */
const waiting = [];
channel.port1.onmessage = () => waiting.shift()?.();

/** Lets the messages that have come meanwhile have their turn; a timer would wait four milliseconds. @returns {Promise<void>} */
function turn() {
  return new Promise((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });
}
