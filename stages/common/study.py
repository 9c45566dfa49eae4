"""The study's vocabulary: its networks, splits, galleries and classes, each named once."""

from typing import NamedTuple


class Network(NamedTuple):
    """A network of the study.

    Attributes
    ----------
    stage : str
        The stage of `dvc.yaml` that trains it, and the group of `params.yaml` that holds what
        differs from `train`.
    title : str
        Its name in pictures and tables.
    color : str
        Its own in every picture; told apart with every kind of colour vision (Okabe and Ito).
    """

    stage: str
    title: str
    color: str


# by the name of their folders in models/ and plots/, in the order of the study
NETWORKS = {
    "q1": Network("train_q1", "Shallow CNN", "#0072b2"),
    "q2": Network("train_q2", "Deep CNN", "#e69f00"),
    "augment": Network("augment", "Deep CNN, augmented", "#009e73"),
    "better": Network("train_better", "Better CNN", "#cc79a7"),
}

# classes of networks.py, listed here so that params are checked without loading torch
ARCHITECTURES = ("ShallowCNN", "DeepCNN", "BetterCNN", "WideCNN", "DeepNormCNN", "PlainCNN")

SPLITS = ("train", "val", "test")
SPLIT_TITLES = {"train": "train", "val": "validation", "test": "test"}

GALLERIES = ("correct", "misclassified")
PER_CLASS = 5  # images of a class in a gallery: questions 1.2 and 1.3 ask for five

SIDE = 96  # height and width of every image, in pixels
MOST_CLASSES = 256  # a label is one byte
# fmt: off
STL10_CLASSES = (
    "airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck",
)
# fmt: on
