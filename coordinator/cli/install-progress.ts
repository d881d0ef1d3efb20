import type { InstallEvent } from "../engines/install-event.js";
import type { ProgressStream } from "./progress.js";
import { type ProgressBar, startProgressBar } from "./progress-bar.js";

/** Shows a person how an installation gets on. */
export interface InstallProgress {
  /** Every event, in order. */
  handle(event: InstallEvent): void;
  /** Ends the display, however the installation ended; twice does no harm. */
  stop(): void;
}

/** Where there is no terminal to draw on: a line for each tenth. */
const TENTHS = 10;

/** A bar on a terminal, else a line every now and then. @param stream stderr: stdout is for results. */
export function createInstallProgress(stream: ProgressStream): InstallProgress {
  let bar: ProgressBar | null = null;
  let tenth = -1;
  const stop = (): void => {
    bar?.stop();
    bar = null;
  };
  const say = (text: string): void => {
    stop();
    stream.write(`${text}\n`);
  };
  const onDownload = ({
    receivedBytes,
    downloadBytes,
    package: name,
  }: Extract<InstallEvent, { event: "download" }>) => {
    const figures = `${megabytes(receivedBytes)} of ${megabytes(downloadBytes)} MB, ${name}`;
    if (stream.isTTY === true) {
      bar ??= startProgressBar(stream, { total: downloadBytes, value: 0, figures });
      bar.update(receivedBytes, figures);
      return;
    }
    const now = Math.floor((receivedBytes / downloadBytes) * TENTHS);
    if (now === tenth) return;
    tenth = now;
    say(`${now * TENTHS}%, ${figures}`);
  };
  return {
    handle: (event) => {
      if (event.event === "install") say(describeStart(event));
      else if (event.event === "download") onDownload(event);
      else if (event.event === "unpack") say(`unpacking ${event.package} ${event.version}`);
      else if (event.event === "compile") say(`compiling the binding with ${event.compiler}`);
      else if (event.event === "check") say("checking that it computes");
    },
    stop,
  };
}

function describeStart({
  engine,
  version,
  directory,
  downloadBytes,
  resumedBytes,
}: Extract<InstallEvent, { event: "install" }>): string {
  const resumed = resumedBytes === 0 ? "" : `, ${megabytes(resumedBytes)} MB of them here already`;
  return `installing ${engine} ${version} into ${directory}: ${megabytes(downloadBytes)} MB to fetch${resumed}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0);
}
