import type { ShapedLayer } from "../layer-shape.js";
import { unreachable } from "../unreachable.js";

/**
 * A layer as Keras (and tfjs) describes it. Pure.
 * @param isFirst whether it has to say what shape its rows have; the others' shapes follow.
 */
export function kerasLayer(shaped: ShapedLayer, isFirst: boolean): { class_name: string; config: object } {
  const { className, own } = described(shaped);
  return {
    class_name: className,
    config: {
      name: shaped.layer.name,
      trainable: true,
      ...(isFirst ? { batch_input_shape: [null, ...shaped.input] } : {}),
      dtype: "float32",
      ...own,
    },
  };
}

function described({ layer, input, output }: ShapedLayer): { className: string; own: object } {
  switch (layer.kind) {
    case "dense":
      return { className: "Dense", own: { units: layer.units, ...weighted(layer) } };
    case "conv2d": {
      const { filters, kernel, stride, padding } = layer;
      const window = { kernel_size: kernel, strides: stride, padding, dilation_rate: [1, 1] };
      return { className: "Conv2D", own: { filters, ...window, ...CHANNELS_LAST, ...weighted(layer) } };
    }
    case "maxPool":
    case "avgPool": {
      const { window, stride, padding } = layer;
      const className = layer.kind === "maxPool" ? "MaxPooling2D" : "AveragePooling2D";
      return { className, own: { pool_size: window, strides: stride, padding, ...CHANNELS_LAST } };
    }
    case "flatten":
      // tfjs refuses to flatten rows that are flat.
      if (input.length === 1) return { className: "Reshape", own: { target_shape: output } };
      return { className: "Flatten", own: CHANNELS_LAST };
    case "activation":
      return { className: "Activation", own: { activation: layer.activation } };
    case "dropout":
      return { className: "Dropout", own: { rate: layer.rate } };
    case "batchNorm":
      return { className: "BatchNormalization", own: normalised(layer) };
    default:
      return unreachable(layer);
  }
}

const CHANNELS_LAST = { data_format: "channels_last" } as const;

function weighted({
  activation,
  initialBias,
  l2,
}: {
  activation: string;
  initialBias: number;
  l2?: number | undefined;
}): object {
  return {
    activation,
    use_bias: true,
    kernel_initializer: { class_name: "GlorotUniform", config: { seed: null } },
    bias_initializer: { class_name: "Constant", config: { value: initialBias } },
    kernel_regularizer: l2 === undefined || l2 === 0 ? null : { class_name: "L1L2", config: { l1: 0, l2 } },
    bias_regularizer: null,
    activity_regularizer: null,
    kernel_constraint: null,
    bias_constraint: null,
  };
}

function normalised({ momentum, epsilon }: { momentum: number; epsilon: number }): object {
  return {
    axis: -1,
    momentum,
    epsilon,
    center: true,
    scale: true,
    beta_initializer: { class_name: "Zeros", config: {} },
    gamma_initializer: { class_name: "Ones", config: {} },
    moving_mean_initializer: { class_name: "Zeros", config: {} },
    moving_variance_initializer: { class_name: "Ones", config: {} },
    beta_regularizer: null,
    gamma_regularizer: null,
    beta_constraint: null,
    gamma_constraint: null,
  };
}
