import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np

for x in ([1e4, 1e4 + 1, 1e4 + 2], [3333.3333] * 3):
    layer = keras.layers.BatchNormalization(momentum=0.0)
    y = layer(np.array(x, "float32")[:, None], training=True)
    print("moving variance", float(layer.moving_variance[0]), "output", keras.ops.convert_to_numpy(y).ravel())
print("expected: 0.667 and about -1.22, 0, 1.22; then 0 and 0, 0, 0")
