import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np

layer = keras.layers.BatchNormalization(momentum=0.5)
x = np.full((2, 3, 2), 10, "float32")
for _ in range(3):
    layer(x, training=True, mask=np.zeros((2, 3), bool))
    print("moving variance", keras.ops.convert_to_numpy(layer.moving_variance))
print("expected: 1, as before, since no element was seen")
