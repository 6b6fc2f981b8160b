import numpy as np
import tf_keras

x = np.ones((3, 2, 5, 3), "float32")
for axis in (0, -4):
    try:
        y = tf_keras.layers.BatchNormalization(axis=axis)(x)
        print("axis", axis, "gives an output of shape", tuple(y.shape))
    except ValueError as error:
        print("axis", axis, "throws ValueError:", error)
