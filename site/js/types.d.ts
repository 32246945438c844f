/** The types that more than one module, or an embedder's editor, wants to know. They are known everywhere; nothing loads this file. */

/** x, y, width, height in pixels of the source */
type Box = [number, number, number, number];

/** One movement of the pen. `points` is flat, x0, y0, x1, y1, ..., as is `width` in fractions of the pad's side (0, 0 is the upper left corner). A single point is a dot. */
interface Stroke {
  tool: "pen" | "eraser";
  width: number;
  points: number[];
}

interface Ink {
  data: Uint8Array;
  width: number;
  height: number;
}

interface Prediction {
  /** 0-9, the best guess even when not accepted; null without ink */
  digit: number | null;
  /** 0..1 */
  confidence: number;
  /** of the ten digits; they add up to 1 */
  probabilities: number[];
  accepted: boolean;
  /** why it is not accepted */
  reason: "empty" | "too-small" | "not-a-digit" | "several" | null;
  /** what was read: "7", "2026", "" if nothing; in a number "?" stands for a digit that is not accepted */
  text: string;
  /** in reading order; with several of them all other fields but `text` are those of the last */
  digits: { digit: number; confidence: number; probabilities: number[]; accepted: boolean; box: Box }[];
  /** the 28 x 28 values that the network saw, row by row, 0..1 */
  image: Float32Array;
  found: { box: Box | null; centre_of_mass: [number, number] | null; ink_fraction: number };
  model: string;
  ms: { preprocess: number; forward: number; total: number };
}

type ReadDigit = Prediction["digits"][number];

interface DebugImage {
  /** of the 28 x 28 image */
  png: Blob;
  image: Float32Array;
  /** of the source, as is height */
  width: number;
  height: number;
  box: Box | null;
  centre_of_mass: [number, number] | null;
  /** of the 28 x 28 image, as are max and mean */
  min: number;
  max: number;
  mean: number;
  inverted: boolean;
}

interface Health {
  status: "ok" | "degraded" | "error";
  versions: { inkling: string; pyodide: string; python: string; numpy: string };
  model: { name: string; sha256: string; parameters: number; mnist_test_accuracy: number | null };
  boot: { path: string; ms: Record<string, number>; why_not_faster: string | null };
  self_test: { ok: boolean };
}

/** What there is to say about a prediction (words.js). */
interface Words {
  /** "none": nothing drawn; "empty": a picture without ink; "declined": no answer, a guess at most */
  state: "none" | "empty" | "declined" | "unsure" | "sure";
  /** what was read and nothing else */
  text: string;
  /** that it is right */
  confidence: string;
  doubt: string;
  /** what it may be all the same */
  guess: string;
  /** it may be read as a number */
  several: boolean;
  spoken: string;
}

/** English in, another language out; `values` take the places of {}. What the table lacks stays English. */
interface Translate {
  (english: string, ...values: (string | number)[]): string;
  table: Record<string, string>;
  /** with one decimal */
  decimal(number: number): string;
}

/** What the status line says, with one thing that can be done about it. */
interface Notice {
  text: string;
  action?: { label: string; run: () => void };
}

/** Most urgent first; a notice passes. */
type NoticeKind = "notice" | "error" | "update" | "loading" | "offline" | "ready";

/** What becomes of the page's use without network (offline.js). */
interface OfflineEvents {
  /** everything is kept; the page works without network from now on */
  onOfflineReady(): void;
  /** and our service worker answers for this page, too; not so after a hard reload */
  onServed(): void;
  /** a new version is complete; `apply` switches to it and reloads every open tab */
  onUpdate(apply: () => void): void;
  onConnection(online: boolean): void;
}

/** What comes to see to a new recogniser before that reads for the first time. */
type Preparation = Promise<((recognizer: Learning) => unknown) | undefined>;

/** How far a boot has come; loaded and total in bytes. */
interface BootProgress {
  stage: string;
  loaded: number;
  total: number;
}

/** A file as the table of assets has it (assets.js). */
interface FileAsset {
  url: string;
  /** size once decoded; what a host sends in Brotli or gzip is less */
  bytes: number;
  /** in hex, of the same */
  sha256: string;
  /** of what is over a MiB, the sha256 of the sha256 of each of its MiB: it can be checked while it comes */
  pieces?: string;
  /** whether there is a .gz beside it that is worth its own request */
  gz?: boolean;
  /** the host is known to send files as they are: that .gz is asked for at once */
  plain?: boolean;
  /** our own service worker answers for this page: what it says of a file that it has kept is believed, and it is asked for the file itself */
  trusting?: boolean;
  /** "reload" after a failure: whatever the browser has kept may be what is wrong */
  cache?: RequestCache;
  /** the file itself, in parts, each gzipped: the single file carries it, and nothing is fetched; none of a script that came with the worker's own */
  data?: Uint8Array<ArrayBuffer>[];
  /** WebAssembly whose bytes are wanted: it is half of a module that is put together first */
  uncompiled?: boolean;
}

/** What the page knows of its host, and what it hands over to the worker. */
interface HostTraits extends Required<Pick<FileAsset, "plain" | "trusting">> {
  hands: "all" | "heap" | "nothing";
}

/** What the page tells a worker in its name, so that what it brings itself is under way before the two have spoken. */
interface Errand extends Required<Pick<FileAsset, "plain" | "trusting" | "cache">> {
  /** names of the parts that the page hands over */
  handed: string[];
  path: "snapshot" | "slim";
  model: string;
}

/** What the worker starts from: the table of assets with absolute addresses; the default model is the one inside the snapshot. */
interface BootRequest {
  path: "snapshot" | "slim";
  /** what kept the page from a faster path */
  why: string | null;
  abi: string;
  files: Record<string, FileAsset>;
  models: Record<string, FileAsset>;
  defaultModel: string;
  model: string;
  handed: string[];
}

/** A request to the worker that has no answer yet. */
interface Pending {
  name: string;
  resolve(value: any): void;
  reject(reason: Error): void;
  onProgress?(value: any): void;
  restartTimer(): void;
  timer: number;
}

/** The function with which Pyodide calls C functions of wrong signature, where an engine has what it needs (WebAssembly's garbage collection). */
interface Trampoline {
  slot: number;
  call: Function;
}

/** The head of heap.bin (builder/snapshot.mjs makes it, restore.js reads it). */
interface HeapHeader {
  format: number;
  /** name of the network inside */
  model: string;
  /** file name -> sha256: the runtime that it belongs to */
  madeWith: Record<string, string>;
  libraries: {
    path: string; file: string; sha256: string; handles: number[]; memoryBase: number; tableBase: number; tableSize: number; global: boolean; refcount: number | null;
  }[];
  /** bareLength: with what Pyodide adds before anything is loaded; slots: [slot, library, export] outside the libraries' ranges */
  table: { bareLength: number; length: number; free: number[]; slots: [number, number | null, string | null][]; got: Record<string, number> };
  /** which JavaScript objects Python holds */
  state: any;
  heapSize: number;
  /** [begin, length] of what differs from a memory in which nothing has run yet */
  runs: [number, number][];
  /** the same of what does not differ and is not zero */
  untouched: [number, number][];
  /** of the latter */
  checksum: number;
}

/** Images 28 x 28, white strokes on black, 784 bytes each (a Prediction's `image` times 255), and what they show, 0 to 9. */
interface LabelledImages {
  images: Uint8Array;
  labels: ArrayLike<number>;
}

/** "mnist-train" (10,000 images, and 1,000 for validation), "mnist-test" (10,000), "mnist-1000" (the first of them), "rehearsal" (5,000; with what is no digit). */
type DataSet = string | LabelledImages;

interface TrainingStep {
  /** how many steps were done by then */
  step: number;
  epoch: number;
  loss: number | null;
  accuracy: number;
}

interface TrainingProgress {
  stage: "training";
  /** which run it is, for `steer` */
  run: number;
  state: "running" | "paused" | "finished" | "stopped" | "diverged";
  step: number;
  total_steps: number;
  epoch: number;
  epochs: number;
  seconds: number;
  seconds_left: number | null;
  images_per_second: number;
  learning_rate: number;
  /** all since the last report */
  steps: (TrainingStep & { learning_rate: number })[];
  /** the same; the first comes before the first step, then two an epoch; none while fine-tuning */
  validations: TrainingStep[];
}

/** How far a data set has come (in bytes), or an evaluation or preparation (in images). */
interface LoadingProgress {
  stage: "data" | "evaluating" | "preparing";
  loaded: number;
  total: number;
}

interface TrainingResult {
  /** "diverged": the loss was no longer a number; the last good weights are back, and `message` says what to lower */
  state: "finished" | "stopped" | "diverged";
  message: string | null;
  step: number;
  total_steps: number;
  seconds: number;
  images: number;
  loss: number | null;
  accuracy: number | null;
  validation: TrainingStep | null;
  /** on how many images that was measured */
  validation_images: number;
  /** complete; `python trainer/train.py --settings` reads the same */
  settings: Record<string, any>;
  parameters: number;
  /** the layers, as in a model card's `architecture` */
  spec: any;
  /** an .npz, exact */
  weights: Uint8Array;
}

interface Evaluation {
  n: number;
  right: number;
  accuracy: number;
  /** how many answers were accepted, right or wrong */
  accepted: number;
  loss: number;
  /** 10 x 10 counts: rows the truth, columns the answer */
  confusion: number[][];
  /** wrong answers, those first of which the network was surest */
  mistakes: { index: number; label: number; answer: number; confidence: number; image: Uint8Array }[];
}

interface ModelSummary {
  name: string;
  sha256: string;
  parameters: number;
  spec: any;
}

/** What a Recognizer can learn (learning.js). All reject with RecognizerError, or with the signal's reason. */
interface Learning {
  /**
   * Trains a network from nothing, or the one in use on from where it is ("fine-tune": on somebody's own images, with rehearsal of the old).
   * live: the network answers as it is right now, and afterwards; else only `weights` come of it. resume: a checkpoint to go on from.
   * An abort puts back the network from before. Several runs that are not live may go on at the same time.
   * onCheckpoint is called right after the onProgress that says the same step: every so many ms, and with each pause.
   */
  train(
    settings: Record<string, any> | null,
    options?: {
      mode?: "scratch" | "fine-tune"; data?: DataSet; live?: boolean; resume?: Uint8Array; checkpointEvery?: number; signal?: AbortSignal;
      onCheckpoint?: (bytes: Uint8Array) => void; onProgress?: (progress: TrainingProgress | LoadingProgress) => void;
    },
  ): Promise<TrainingResult>;
  /** "step": one, then a pause; "stop": ends it well. learning_rate: the new peak, the schedule is scaled by it. run: which, as its progress says; without it all. */
  steer(order: { action?: "pause" | "resume" | "step" | "stop"; learning_rate?: number; run?: number }): Promise<null>;
  /**
   * Does ahead what "fine-tune" would begin with: it depends on the network in use, not on the images. The result is the same without it, only later.
   * It is kept until another network is prepared; predictions are served meanwhile.
   */
  prepare(options?: { signal?: AbortSignal; onProgress?: (progress: LoadingProgress) => void }): Promise<null>;
  /** Measures the network in use. */
  evaluate(data: DataSet, options?: { mistakes?: number; signal?: AbortSignal; onProgress?: (progress: LoadingProgress) => void }): Promise<Evaluation>;
  /** Settings with all defaults, and the size of their network; rejects nonsense, naming the setting. */
  settings(settings: Record<string, any>): Promise<{ settings: Record<string, any>; parameters: number }>;
  /** Those that there are here; the single file has the small ones. */
  dataSets(): Promise<Record<string, { bytes: number }>>;
  getWeights(): Promise<{ name: string; npz: Uint8Array }>;
  /** Answers with these weights, from anywhere. A file that is no digit reader is refused, and the network before stays. */
  setWeights(npz: Uint8Array, options?: { name?: string }): Promise<ModelSummary>;
  /** Answers with the shipped model again. */
  resetWeights(): Promise<ModelSummary>;
}
