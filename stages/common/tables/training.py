"""Columns of the CSV files that a training reads and writes."""

# data/split/split.csv, a row an image
SPLIT = {"index": int, "label": int, "split": str}

# models/<network>/history.csv, a row an epoch; plots/<network>/curves.csv is a copy of it; those of
# train are of as many of its images as there are validation images, evenly spaced
HISTORY = {
    "epoch": int,
    "lr": float,
    "train_loss": float,
    "val_loss": float,
    "train_accuracy": float,
    "val_accuracy": float,
    "test_accuracy": float,
}
