"""
From data to receptive fields
=============================

This tutorial trains a small network of spiking neurons on the digits that come with scikit-learn, looks at what each
neuron has learned to see, and reads the spikes out. It takes a few seconds once the kernels are compiled, which happens
at the first training on a machine and takes about 15 s.
"""

# %%
# Data
# ----
# An experiment is one frozen object. `load_config` reads it from a preset or from a TOML file, and every key can be
# changed. The preset `digits` has images of 8 x 8 pixels, enlarged to 28 x 28 and cropped to the centre 20 x 20, and
# a locally connected network: 50 neurons at each of 9 positions, each of which sees 12 x 12 pixels.

import matplotlib.pyplot as plt
import numpy as np

import stdpnet

spec = stdpnet.load_config("digits", {"training.images": 2000, "seed": 0})
data = stdpnet.load_dataset(spec.dataset)
print(data.train.images.shape, data.calibration.images.shape, data.test.images.shape)

figure, axes = plt.subplots(1, 8, figsize=(8, 1.2))
for place, image in zip(axes, data.train.images, strict=False):
    place.imshow(image, cmap="gray")
    place.axis("off")

# %%
# The three sets are disjoint. The network learns from the first one and never sees a label; the labels of the second
# one calibrate the read-outs; the third one is scored.
#
# Images become spikes
# --------------------
# Each pixel is a source of spikes whose rate grows with its brightness, here up to 255 Hz. One presentation lasts 250
# ms.

from stdpnet.encoding import Encoder
from stdpnet.random import Stream

encoder = Encoder(spec.encoder, spec.simulation.dt, spec.simulation.steps, spec.seed)
trains = encoder.encode(data.train.images[:1], Stream.TRAIN, np.arange(1))
steps = np.repeat(np.arange(trains.steps), np.diff(trains.offsets[0]))

figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
axes.plot(steps, trains.pixels, ".", markersize=2)
axes.set(xlabel="step, ms", ylabel="pixel")

# %%
# Learning without labels
# -----------------------
# `fit` shows the training images in a seeded order and returns the trained state: feedforward weights, adaptive
# thresholds and competition weights. `stdpnet.train` does the same on a run directory that survives interruptions.

state = stdpnet.fit(spec, data.train.images)
print(state)

# %%
# Receptive fields
# ----------------
# The weights of a neuron, drawn where they come from, are its receptive field. Untrained weights are noise. Trained
# ones show the strokes for which a neuron fires. Neurons that see the same pixels inhibit each other, and so they
# have learned different strokes.

from stdpnet.model import open_model
from stdpnet_analysis.figures.receptive_fields import plot_receptive_fields

untrained = open_model(spec).initial(spec)
figure, axes = plt.subplots(1, 2, figsize=(9, 4.5), layout="constrained")
for place, title, shown in zip(axes, ("untrained", "trained"), (untrained, state), strict=True):
    plot_receptive_fields(place, shown.arrays["weights"])
    place.set_title(title)

# %%
# Answers
# -------
# `respond` shows images to the trained network, which no longer changes, and counts the spikes of each neuron.

calibration = stdpnet.respond(spec, state, data.calibration.images, data.calibration.labels, stream=Stream.CALIBRATE)
test = stdpnet.respond(spec, state, data.test.images, data.test.labels)
print(test, "spikes per image:", round(float(test.counts.sum(axis=1).mean()), 1))

# %%
# A read-out is a scikit-learn classifier of these counts. `log_evidence` adds up what the positions say about each
# class, `linear` is logistic regression.

from stdpnet_analysis.readouts import ReadoutSettings, make_readouts

for name, readout in make_readouts(["log_evidence", "linear"], ReadoutSettings(n_positions=9)).items():
    readout.fit(calibration.counts, data.calibration.labels)
    print(f"{name}: {np.mean(readout.predict(test.counts) == data.test.labels):.1%} of the test images")

# %%
# A fair comparison needs the untrained network and the pixels beside the trained one, several seeds, and intervals.
# That is what the commands do::
#
#     stdpnet train digits --seeds 0-4
#     stdpnet evaluate 'digits-*'
#     stdpnet compare 'digits-*'
#
# Where to go from here: :doc:`/own-images` for your data, :doc:`/parameters` for the keys that matter, and
# :doc:`/model` for the equations of every step.
