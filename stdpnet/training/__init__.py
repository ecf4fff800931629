"""Training: the loop over the images in memory, and the restartable job on a run directory around it."""

from stdpnet.stopping import StopRequest
from stdpnet.training.job import Job, check_dataset, check_training_images, resume, train
from stdpnet.training.loop import Observer, Training

__all__ = ["Job", "Observer", "StopRequest", "Training", "check_dataset", "check_training_images", "resume", "train"]
