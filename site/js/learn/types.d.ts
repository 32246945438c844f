/** The types of what learns on the page. They are known everywhere; nothing loads this file. */

/** A drawing with the digit that it is. */
interface Sample {
  /** also the time at which it was made, in ms */
  id: number;
  /** the 28 x 28 values that the network saw, 0 paper .. 255 stroke */
  image: Uint8Array;
  label: number;
  /** what the network took it for, if that is known */
  answer: number | null;
}

/** A network that is not one of the shipped. */
interface OwnNetwork {
  name: string;
  npz: Uint8Array;
  card: Record<string, any>;
  /** somebody else asks whether it is to be kept */
  isAskedFor?: boolean;
}

/**
 * A run that was not ended, as of its last checkpoint; or one that was, and its network is neither kept nor dropped; or one of a race
 * that was not ended, with its result if it was through.
 */
interface KeptRun {
  checkpoint?: Uint8Array;
  /** without weights */
  result?: Record<string, any>;
  /** what came of it */
  network?: OwnNetwork;
  settings: Record<string, any>;
  curves: CurvePoints;
  /** ms since 1970 */
  time: number;
}

/** What curves are drawn from; `loss` and `accuracy` of a step's own batch. */
interface CurvePoints {
  steps: CurvePoint[];
  validations: CurvePoint[];
}

interface CurvePoint {
  /** how many are done */
  step: number;
  epoch: number;
  loss: number | null;
  accuracy: number;
}

/** One setting of an experiment, and what may be said for it. */
interface Field {
  name: string;
  label: string;
  kind: "whole" | "number" | "choice" | "switch" | "arch";
  value: any;
  least?: number;
  most?: number;
  choices?: string[];
  /** null, nothing, is a value, too */
  optional?: boolean;
  /** shown at once, not under "More" */
  first?: boolean;
  /** of which optimisers, or schedules, it is a parameter */
  of?: string[];
  hint?: string;
}
