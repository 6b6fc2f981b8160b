import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np

keras.config.disable_traceback_filtering()
for channels in (2, 1):
    x = np.ones((4, 3, channels), "float32")
    mask = np.array([[True, True, False]] * 4)
    try:
        y = keras.layers.BatchNormalization()(x, training=True, mask=mask)
        print(channels, "channels: an output of shape", tuple(y.shape))
    except IndexError as error:
        print(channels, "channels: IndexError:", error)
