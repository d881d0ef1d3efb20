"""Keras on TensorFlow as a contender of bench/train.ts: keras_steps.py WORKLOAD.json THREADS

The whole step is one tf.function: rows gathered by index from a tensor in memory, loss, gradients, Keras' optimizer. With or without
XLA, whichever is faster, found by trying both for some steps.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import tensorflow as tf
from workload import Workload, answer, fastest


def network(workload):
    shape = (workload.x.shape[1],)
    layers = [keras.Input(shape)]
    for layer in workload.layers:
        kind = layer["kind"]
        # The loss takes the weighted sums.
        activation = None if layer.get("activation") == "softmax" else layer.get("activation")
        if kind == "conv2d":
            if len(shape) == 1:
                layers.append(keras.layers.Reshape((28, 28, 1)))
                shape = (28, 28, 1)
            size, stride = tuple(layer["kernel"]), tuple(layer["stride"])
            layers.append(
                keras.layers.Conv2D(layer["filters"], size, stride, padding=layer["padding"], activation=activation)
            )
        elif kind == "maxPool":
            layers.append(keras.layers.MaxPooling2D(tuple(layer["window"]), tuple(layer["stride"]), layer["padding"]))
        elif kind == "flatten":
            layers.append(keras.layers.Flatten())
        elif kind == "dense":
            layers.append(keras.layers.Dense(layer["units"], activation=activation))
    model = keras.Sequential(layers)
    model.set_weights(list(workload.tensors.values()))
    return model


def optimizer(spec):
    if spec["kind"] == "adam":
        betas = {"beta_1": spec["beta1"], "beta_2": spec["beta2"]}
        return keras.optimizers.Adam(spec["learningRate"], epsilon=spec["epsilon"], **betas)
    return keras.optimizers.SGD(spec["learningRate"], momentum=spec.get("momentum", 0.0))


def stepper(workload, x, classes, xla):
    """A function that runs the next step of a training of its own."""
    model = network(workload)
    made = optimizer(workload.optimizer)
    made.build(model.trainable_variables)
    batches = workload.batches()

    @tf.function(jit_compile=xla, input_signature=[tf.TensorSpec([workload.batch_size], tf.int64)])
    def train(rows):
        with tf.GradientTape() as tape:
            logits = model(tf.gather(x, rows), training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(classes, rows), logits)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        made.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    return lambda: float(train(tf.constant(next(batches))))


def main():
    workload = Workload(sys.argv[1])
    threads = int(sys.argv[2])
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    x, classes = tf.constant(workload.x), tf.constant(workload.classes)
    settings = {"tf.function": False, "tf.function with XLA": True}
    # Tried on copies: the training that is measured starts from the workload's parameters.
    best = fastest({name: stepper(workload, x, classes, xla) for name, xla in settings.items()})
    version = f"{keras.__version__} on TensorFlow {tf.__version__}"
    ready = {"library": "Keras", "version": version, "variant": best}
    answer(ready, stepper(workload, x, classes, settings[best]))


main()
