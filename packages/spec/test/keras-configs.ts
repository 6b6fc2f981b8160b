/** What real layers wrote: `get_config()` of Keras 3.15.1 and tf-keras 2.21.0, and their entries in `model.to_json()`. */

const initializer = (class_name: string): object => ({ module: "keras.initializers", class_name, config: {}, registered_name: null });

const common = {
  momentum: 0.99,
  epsilon: 0.001,
  center: true,
  scale: true,
  beta_initializer: initializer("Zeros"),
  gamma_initializer: initializer("Ones"),
  moving_mean_initializer: initializer("Zeros"),
  moving_variance_initializer: initializer("Ones"),
  beta_regularizer: null,
  gamma_regularizer: null,
  beta_constraint: null,
  gamma_constraint: null,
};

const keras3Policy = (name: string): object => ({ module: "keras", class_name: "DTypePolicy", config: { name }, registered_name: null });

export const KERAS3 = {
  name: "batch_normalization",
  trainable: true,
  dtype: keras3Policy("float32"),
  axis: -1,
  ...common,
  synchronized: false,
  renorm: false,
  renorm_clipping: null,
  renorm_momentum: 0.99,
};

export const KERAS3_MIXED = {
  ...KERAS3,
  name: "batch_normalization_2",
  dtype: keras3Policy("mixed_bfloat16"),
  beta_regularizer: { module: "keras.regularizers", class_name: "L2", config: { l2: 0.01 }, registered_name: null },
  activity_regularizer: { module: "keras.regularizers", class_name: "L2", config: { l2: 0.01 }, registered_name: null },
};

export const KERAS3_IN_MODEL = {
  module: "keras.layers",
  class_name: "BatchNormalization",
  config: { ...KERAS3, trainable: false },
  registered_name: null,
  build_config: { input_shape: [null, 4] },
  name: "batch_normalization_11",
  inbound_nodes: [
    {
      args: [{ class_name: "__keras_tensor__", config: { shape: [null, 4], dtype: "float32", keras_history: ["input_layer", 0, 0] } }],
      kwargs: { mask: null },
    },
  ],
};

/** Before build the axis is an int, after it a list of one. */
export const TF_KERAS_UNBUILT = {
  name: "batch_normalization",
  trainable: true,
  dtype: "float32",
  batch_input_shape: [null, 3],
  axis: 1,
  ...common,
};
export const TF_KERAS = { ...TF_KERAS_UNBUILT, axis: [1] };

export const TF_KERAS_IN_MODEL = {
  module: "keras.layers",
  class_name: "BatchNormalization",
  config: {
    name: "batch_normalization_2",
    trainable: true,
    dtype: { module: "keras.mixed_precision", class_name: "Policy", config: { name: "mixed_float16" }, registered_name: null },
    batch_input_shape: [null, 4],
    axis: [3],
    ...common,
  },
  registered_name: null,
  build_config: { input_shape: [null, 4] },
};

/** renorm=True as tf-keras writes it, the clipping as text. */
export const TF_KERAS_RENORM = { ...TF_KERAS, renorm: true, renorm_clipping: "{}", renorm_momentum: 0.99 };
