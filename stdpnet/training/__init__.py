"""Training: the loop over images, and the job around it that nothing can kill."""

from stdpnet.stdp.learner import Trainer, image_order
from stdpnet.training.job import Job, Observer, check_dataset, resume, train

__all__ = ["Job", "Observer", "Trainer", "check_dataset", "image_order", "resume", "train"]
