import type { ArenaLayout } from "../../../shared/arena-layout.js";
import { gpuModels } from "../../../shared/engine-store/gpu-models.js";
import { type ModelSpec, outputsOf } from "../../../shared/model-spec.js";
import { gpuArithmetic } from "../../config/native-environment.js";
import { readEnvironment } from "../../config.js";
import { checkRows, checkTargets } from "../check-batch.js";
import { DropoutMasks } from "../dropout-masks.js";
import type {
  CreateEngine,
  Engine,
  EngineIdentity,
  EngineOptions,
  MicroBatch,
  StepPosition,
  StepSums,
} from "../engine.js";
import { encodeSavedModel } from "../graph/encode-saved-model.js";
import type { GraphTensor } from "../graph/graph-node.js";
import { compileStepGraph, type StepGraph } from "../graph/step-graph.js";
import { checkLossHead } from "../loss-head.js";
import { gpuIdentity } from "./gpu-identity.js";
import { GradientTarget } from "./gradient-target.js";
import { instructionSet } from "./instruction-set.js";
import { loadNativeBinding, type NativeLocation, type TensorId } from "./native-binding.js";
import { NativeSession, type Program, programOf } from "./native-session.js";
import { ParameterFeed } from "./parameter-feed.js";

/** The engine `tensorflow`, with its library there. @throws as {@link CreateEngine} says */
export function tensorflowEngine(location: NativeLocation): CreateEngine {
  return (model, layout, options = {}) => TensorflowEngine.create(location, model, layout, options);
}

/** Says so, too, where results may differ from one run to the next. */
async function identityOfGpu({ report }: EngineOptions): Promise<string> {
  const arithmetic = gpuArithmetic();
  if (!arithmetic.isRepeatable)
    report?.("TF_DETERMINISTIC_OPS is off: this GPU may give other bits each time, for the same job");
  const device = readEnvironment()["CUDA_VISIBLE_DEVICES"];
  return gpuIdentity({ ...arithmetic, models: await gpuModels(), device });
}

interface Parts {
  readonly identity: EngineIdentity;
  readonly session: NativeSession;
  readonly graph: StepGraph;
  readonly model: ModelSpec;
  readonly layout: ArenaLayout;
  readonly masks: DropoutMasks | null;
  readonly options: EngineOptions;
}

/** TensorFlow's C library runs a whole step, forward, loss and backward, as one graph. */
export class TensorflowEngine implements Engine {
  readonly identity: EngineIdentity;
  readonly #session: NativeSession;
  readonly #graph: StepGraph;
  readonly #model: ModelSpec;
  readonly #outputs: number;
  /** Null: the model drops nothing. */
  readonly #masks: DropoutMasks | null;
  readonly #firstTensor: string;
  readonly #parameters: ParameterFeed;
  readonly #gradients: GradientTarget;
  readonly #evaluation: Program;
  readonly #prediction: Program;

  private constructor({ identity, session, graph, model, layout, masks, options }: Parts) {
    const report = options.report ?? (() => undefined);
    this.identity = identity;
    this.#session = session;
    this.#graph = graph;
    this.#model = model;
    this.#outputs = outputsOf(model);
    this.#masks = masks;
    this.#firstTensor = layout.slots[0]?.name ?? "the model";
    const feeds = [graph.x, graph.targets, ...graph.tensors, ...graph.masks.map(({ tensor }) => tensor)];
    this.#parameters = new ParameterFeed({ session, graph, layout, report });
    this.#gradients = new GradientTarget({ session, graph, layout, feeds, report });
    this.#evaluation = programOf([graph.x, graph.targets, ...graph.tensors], [graph.evaluation]);
    this.#prediction = programOf([graph.x, ...graph.tensors], [graph.outputs]);
  }

  /** @throws RingstrasseError ENGINE_UNAVAILABLE, CHOICE_UNSUPPORTED, OUTPUT_UNWRITABLE (no temporary directory) */
  static async create(
    location: NativeLocation,
    model: ModelSpec,
    layout: ArenaLayout,
    options: EngineOptions,
  ): Promise<TensorflowEngine> {
    checkLossHead(model);
    const isGpu = location.name === "tensorflow-gpu";
    const graph = compileStepGraph(model, layout, {
      crossEntropy: isGpu ? "composed" : "fused",
      precision: options.precision ?? "float32",
    });
    const binding = loadNativeBinding(location, options.threads ?? 1);
    const version = `TensorFlow ${binding.TF_Version}`;
    const processor = await instructionSet();
    const identity = {
      name: location.name,
      version,
      instructionSet: isGpu ? `${await identityOfGpu(options)}, ${processor}` : processor,
    };
    const masks = await DropoutMasks.create(model, options.seed ?? 0);
    const session = await NativeSession.open(binding, location, encodeSavedModel(graph));
    return new TensorflowEngine({ identity, session, graph, model, layout, masks, options });
  }

  loadParameters(parameters: Float32Array): void {
    this.#parameters.load(parameters);
  }

  computeGradients(
    batch: MicroBatch,
    position: StepPosition,
    into: Float32Array,
    onBucketReady?: (layer: number) => void,
  ): Promise<StepSums> {
    return this.#compute((temporary) => {
      const parameters = this.#requireParameters();
      const rows = this.#feedRows(temporary, batch);
      const masks = this.#feedMasks(temporary, batch.count, position);
      const sums = this.#gradients.run([...rows, ...parameters, ...masks], into);
      const step = this.#readSums(sums, batch.count);
      for (let layer = this.#model.layers.length - 1; layer >= 0; layer--) onBucketReady?.(layer);
      return step;
    });
  }

  evaluate(batch: MicroBatch): Promise<StepSums> {
    return this.#compute((temporary) => {
      const parameters = this.#requireParameters();
      const [sums] = this.#session.run(this.#evaluation, [...this.#feedRows(temporary, batch), ...parameters]);
      return this.#readSums(sums, batch.count);
    });
  }

  predict(x: Float32Array, count: number): Promise<Float32Array> {
    return this.#compute((temporary) => {
      const parameters = this.#requireParameters();
      checkRows(x, count, this.#model.inputs);
      const [outputs] = this.#session.run(this.#prediction, [temporary.feed(this.#graph.x, count, x), ...parameters]);
      const values = outputs === undefined ? undefined : this.#session.take(outputs);
      if (!(values instanceof Float32Array)) throw new TypeError("the graph gave no outputs");
      return values;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#parameters[Symbol.dispose]();
    this.#gradients[Symbol.dispose]();
    this.#session[Symbol.dispose]();
    return Promise.resolve();
  }

  #requireParameters(): readonly TensorId[] {
    const { current } = this.#parameters;
    if (current === null) throw new TypeError(`${this.#firstTensor} was used before parameters were loaded`);
    return current;
  }

  #feedRows(temporary: TemporaryTensors, batch: MicroBatch): TensorId[] {
    checkRows(batch.x, batch.count, this.#model.inputs);
    checkTargets(batch, this.#outputs);
    const { targets, count } = batch;
    const { x, targets: targetsTensor } = this.#graph;
    const values =
      targets.kind === "values"
        ? targets.values
        : new Int32Array(targets.classes.buffer, targets.classes.byteOffset, targets.classes.length);
    return [temporary.feed(x, count, batch.x), temporary.feed(targetsTensor, count, values)];
  }

  /** Where the kernel has written them, without a copy. */
  #feedMasks(temporary: TemporaryTensors, rows: number, position: StepPosition): TensorId[] {
    const masks = this.#masks;
    if (masks === null) return [];
    return this.#graph.masks.map(({ layer, tensor }) =>
      temporary.feed(tensor, rows, masks.maskOf(layer, position, rows)),
    );
  }

  #readSums(id: TensorId | undefined, count: number): StepSums {
    const words = id === undefined ? undefined : this.#session.take(id);
    if (!(words instanceof Int32Array)) throw new TypeError("the graph gave no sums");
    const [lossSum = Number.NaN, correct = Number.NaN, absoluteErrorSum = Number.NaN] = new Float64Array(words.buffer);
    return { lossSum, correct, absoluteErrorSum, count };
  }

  /** Computes at once; what throws rejects. What was fed is deleted, whatever happens. */
  #compute<T>(work: (temporary: TemporaryTensors) => T): Promise<T> {
    return new Promise((resolve) => {
      using temporary = new TemporaryTensors(this.#session);
      resolve(work(temporary));
    });
  }
}

/** Tensors of one computation. */
class TemporaryTensors implements Disposable {
  readonly #session: NativeSession;
  readonly #ids: TensorId[] = [];

  constructor(session: NativeSession) {
    this.#session = session;
  }

  /** The first `rows` rows of `values`, which must not change while this lives. */
  feed(tensor: GraphTensor, rows: number, values: Float32Array | Int32Array): TensorId {
    const { binding } = this.#session;
    const type = tensor.type === "int32" ? binding.TF_INT32 : binding.TF_FLOAT;
    const used = values.subarray(0, rows * rowWidth(tensor));
    const id = binding.createTensor([rows, ...tensor.shape.slice(1)], type, used);
    this.#ids.push(id);
    return id;
  }

  [Symbol.dispose](): void {
    for (const id of this.#ids) this.#session.binding.deleteTensor(id);
  }
}

function rowWidth({ shape }: GraphTensor): number {
  return shape.slice(1).reduce((product, size) => product * size, 1);
}
