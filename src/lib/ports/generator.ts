/** A program that makes load and prints a line for each request. `cwd` null = the folder of the fleet file. `env` is added to our own. */
export type GeneratorSpec = {
  readonly command: readonly string[];
  readonly cwd: string | null;
  readonly env: Readonly<Record<string, string>>;
  /** It is ended after this time, in ms, whatever it does. */
  readonly timeoutMs: number;
  /** Called with each line of its stdout, without the line end; what is longer than 4 KiB is cut. */
  readonly onLine: (line: string) => void;
};

/** A program that runs. */
export type RunningGenerator = {
  /** When it is gone, with one sentence on how it ended, without its arguments. Never rejects. */
  readonly ended: Promise<string>;
  /** Ends it with everything that it started: SIGTERM, and 2 s later SIGKILL. Answers when it is gone and its last line was told. */
  stop(): Promise<void>;
};

/**
 * Starts a generator in a process group of its own, which ends with us, however we end. Throws `load-failed` (exit 69) when it cannot be started.
 */
export type StartGenerator = (spec: GeneratorSpec) => Promise<RunningGenerator>;
