import { RingstrasseError } from "../../../shared/failure.js";
import type { Activation, Loss, OptimizerSpec } from "../../../shared/model-spec.js";
import type { Dl4jValue } from "./dl4j-configuration.js";

const activationClasses: Readonly<Record<Activation, string>> = {
  linear: "Identity",
  sigmoid: "Sigmoid",
  tanh: "TanH",
  relu: "ReLU",
  softmax: "Softmax",
};

/** `activationFn` */
export function dl4jActivation(activation: Activation): Dl4jValue {
  const name = `org.nd4j.linalg.activations.impl.Activation${activationClasses[activation]}`;
  return activation === "relu"
    ? { "@class": name, max: null, negativeSlope: null, threshold: null }
    : { "@class": name };
}

/**
 * `lossFn`: the losses of DL4J that mean the same per row. Its binary cross-entropy is a sum over the outputs where
 * ours is a mean, so several outputs get the weight 1/outputs.
 */
export function dl4jLoss(loss: Loss, outputs: number): Dl4jValue {
  const path = "org.nd4j.linalg.lossfunctions.impl";
  switch (loss) {
    case "softmaxCrossEntropy":
      return { "@class": `${path}.LossMCXENT`, softmaxClipEps: 1e-10 };
    case "sigmoidCrossEntropy": {
      const plain = { "@class": `${path}.LossBinaryXENT`, clipEps: 1e-5 };
      if (outputs === 1) return plain;
      const data = Array.from({ length: outputs }, () => 1 / outputs);
      return { ...plain, weights: { dataType: "FLOAT", shape: [1, outputs], data } };
    }
    case "meanSquaredError":
      return { "@class": `${path}.LossMSE` };
    case "meanAbsoluteError":
      return { "@class": `${path}.LossMAE` };
  }
}

/**
 * `iupdater`, with the learning rate.
 * @throws RingstrasseError CHOICE_UNSUPPORTED: AdaGrad, whose start DL4J doesn't let choose
 */
export function dl4jUpdater(optimizer: OptimizerSpec): Dl4jValue {
  const path = "org.nd4j.linalg.learning.config";
  const { learningRate } = optimizer;
  switch (optimizer.kind) {
    case "sgd":
      return { "@class": `${path}.Sgd`, learningRate };
    case "momentum":
    case "nesterov":
      return { "@class": `${path}.Nesterovs`, learningRate, momentum: optimizer.momentum };
    case "adam":
    case "adamw": {
      const { beta1, beta2, epsilon } = optimizer;
      return { "@class": `${path}.Adam`, beta1, beta2, epsilon, learningRate };
    }
    case "rmsprop":
      return { "@class": `${path}.RmsProp`, epsilon: optimizer.epsilon, learningRate, rmsDecay: optimizer.decay };
    case "adagrad":
      throw new RingstrasseError({
        code: "CHOICE_UNSUPPORTED",
        option: "DL4J transformation of the optimizer",
        value: optimizer.kind,
        supported: ["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop"],
        remedy: "DL4J's AdaGrad can't start from an accumulator other than its epsilon: choose another optimizer",
      });
  }
}

/** `regularization`: the decay of `adamw`, which DL4J applies after the updater and times the learning rate, as here. */
export function dl4jRegularization(optimizer: OptimizerSpec): readonly Dl4jValue[] {
  if (optimizer.kind !== "adamw") return [];
  return [
    {
      "@class": "org.nd4j.linalg.learning.regularization.WeightDecay",
      applyLR: true,
      coeff: { "@class": "org.nd4j.linalg.schedule.FixedSchedule", value: optimizer.weightDecay },
    },
  ];
}
