import type { Field, ListShape, ObjectShape, Shape, TextKind } from "./object-shape.js";
import { PART_ALIASES, PART_NAMES, type PartName } from "./vinnsl-object.js";

const text: Shape = { kind: "text" };
const number: Shape = { kind: "number" };
const flag: Shape = { kind: "flag" };

interface ObjectDetails {
  readonly attributes?: readonly string[];
  readonly list?: ListShape;
  /** Fields that are arrays. */
  readonly repeated?: readonly string[];
  readonly keys?: Readonly<Record<string, string>>;
}

function object(fields: Readonly<Record<string, Shape>>, details: ObjectDetails = {}): ObjectShape {
  const { attributes = [], list = null, repeated = [], keys = {} } = details;
  const entries = Object.entries(fields).map(([name, shape]): [string, Field] => [
    name,
    { shape, repeated: repeated.includes(name) },
  ]);
  return { kind: "object", attributes, fields: new Map(entries), list, keys: new Map(Object.entries(keys)) };
}

const named = (value: TextKind): Shape => ({ kind: "valued", value, attributes: ["name"] });
const machine: Shape = { kind: "valued", value: "text", attributes: ["version"] };

const parameterKinds = ["valueparameter", "boolparameter", "comboparameter"] as const;
const parameterKey = "valueparameterOrBoolparameterOrComboparameter";

const parameterValues = object(
  { valueparameter: named("number"), boolparameter: named("flag"), comboparameter: named("text") },
  { list: { key: parameterKey, members: parameterKinds, item: "parameter" } },
);
const parameterNames = object(
  { valueparameter: text, boolparameter: text, comboparameter: text },
  { list: { key: parameterKey, members: parameterKinds, item: "named" } },
);

const propagationType = object({ learningType: text }, { attributes: ["type"] });
const problemDomain = object(
  { propagationType, applicationField: text, networkType: text, problemType: text },
  { repeated: ["applicationField"] },
);

const executionEnvironment = object({
  serial: flag,
  parallel: object({
    software: object({
      control: object({ transputer: machine }),
      data: object({
        topological: object({
          pipelining: object({ systolicarr: machine }),
          coarsestruct: object({ connmachine: machine, maspar: machine }),
          finestruct: object({ connmachine: machine }),
        }),
        structural: object({
          spmd: object({ hypercube: machine, cluster: machine, gpgpu: machine, multicore: machine }),
        }),
      }),
    }),
    hardware: object({ general: parameterValues, special: parameterValues }),
  }),
});

/** Jackson calls the property of `getID()` so. */
const idKey = { ID: "id" };
const range = object({ min: number, max: number });
const describedBlock = object({ ID: text, dimension: range, size: range }, { keys: idKey });
const block = object({ ID: text, dimension: number, size: number, parameters: parameterValues }, { keys: idKey });

const fullconnected = object(
  { fromblock: text, toblock: text },
  { list: { key: "fromblockAndToblock", members: ["fromblock", "toblock"], item: "named" } },
);
const connected = ["fullconnected", "shortcuts"];

const metadata = object({
  paradigm: text,
  name: text,
  description: text,
  version: object({ major: number, minor: number }),
});
const creator = object({ name: text, contact: text });

const description = object(
  {
    identifier: text,
    metadata,
    creator,
    problemDomain,
    endpoints: object({ train: flag, retrain: flag, evaluate: flag }),
    executionEnvironment,
    structure: object(
      { input: describedBlock, hidden: describedBlock, output: describedBlock, connections: text },
      { repeated: ["hidden"] },
    ),
    parameters: parameterNames,
    data: object({ description: text, tabledescription: text, filedescription: text }),
  },
  { repeated: ["executionEnvironment"] },
);

const definition = object({
  identifier: text,
  metadata,
  creator,
  problemDomain,
  endpoints: object({ train: flag, retrain: flag, evaluate: flag }),
  executionEnvironment,
  structure: object(
    {
      input: block,
      hidden: block,
      output: block,
      connections: object(
        { fullconnected, shortcuts: object({ fromneuron: text, toneuron: text }) },
        { list: { key: "fullconnectedAndShortcuts", members: connected, item: "kind" } },
      ),
    },
    { repeated: ["hidden"] },
  ),
  resultSchema: object({ instance: flag, training: flag }),
  parameters: parameterValues,
  data: object({ description: text, dataSchemaID: text }),
  instanceSchemaID: text,
});

/** A table of pairs; `input` rows without outputs, which data may have, stand under their own name. */
function table(first: string, second: string, key: string): ObjectShape {
  return object(
    { input: text, [first]: text, [second]: text },
    { list: { key, members: [first, second], item: "named" }, repeated: first === "input" ? [] : ["input"] },
  );
}
const netTable = table("netinput", "netoutput", "netinputAndNetoutput");

const data = object({ identifier: text, creationdate: text, data: object({ table: netTable, file: text }) });

const instance = object({
  identifier: text,
  creationdate: text,
  structure: object(
    {
      input: block,
      hidden: block,
      output: block,
      connections: object(
        {
          fullconnected,
          shortcuts: object(
            { fromneuron: text, toneuron: text },
            { list: { key: "fromneuronAndToneuron", members: ["fromneuron", "toneuron"], item: "named" } },
          ),
        },
        { list: { key: "fullconnectedOrShortcuts", members: connected, item: "kind" } },
      ),
    },
    { repeated: ["hidden"] },
  ),
  executionEnvironment,
  problemDomain,
  weightmatrix: text,
  activationfunction: text,
  dataSchemaID: text,
});

const trainingresult = object(
  {
    identifier: text,
    creationdate: text,
    data: object({
      table: netTable,
      file: text,
    }),
    weightmatrix: text,
    epochs: number,
    meanerror: number,
    activationfunction: text,
    totalexecutiontime: text,
    epocherrorvalue: text,
    learningrate: number,
    momentum: number,
    threshold: number,
    bias: object({ valueparameter: named("number") }, { repeated: ["valueparameter"] }),
    executionEnvironment,
    propagationType,
    networkType: text,
  },
  { repeated: ["bias"] },
);

const axis = object({ title: text, description: text, min: number, max: number });
const result = object({
  identifier: text,
  instanceSchemaID: text,
  creationdate: text,
  diagram2d: object({
    title: text,
    description: text,
    type: text,
    xaxis: axis,
    yaxis: axis,
    values: object({ value: object({ xvalue: number, yvalue: number }) }, { repeated: ["value"] }),
  }),
  table: table("input", "output", "inputAndOutput"),
  file: text,
});

const parts: Readonly<Record<PartName, Shape>> = {
  identifier: text,
  description,
  definition,
  data,
  instance,
  trainingresult,
  result,
};

/** The shape of a part of a vinnsl object. */
export function shapeOfPart(part: PartName): Shape {
  return parts[part];
}

/** The shape of a whole `<vinnsl>`. */
export const vinnslShape: ObjectShape = object(
  Object.fromEntries(PART_NAMES.flatMap((part) => PART_ALIASES[part].map((name) => [name, parts[part]]))),
);
