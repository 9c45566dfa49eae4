"""Columns of the CSV files in plots/<network>/ that an evaluation writes."""

# confusion_<split>.csv, a row an image, by the names of the classes
CONFUSION = {"actual": str, "predicted": str}

# galleries.csv, a row an image; `class` is that under which it is listed, `rank` counts from 1,
# `index` is its place in the whole data set
GALLERIES = {
    "gallery": str,
    "class": str,
    "rank": int,
    "index": int,
    "actual": str,
    "predicted": str,
    "score": float,
}

# classes.csv, a row a split and class
CLASSES = {
    "split": str,
    "class": str,
    "images": int,
    "precision": float,
    "recall": float,
    "f1": float,
}

# reliability.csv, a row a split and bin of confidence
RELIABILITY = {
    "split": str,
    "low": float,
    "high": float,
    "images": int,
    "confidence": float,
    "accuracy": float,
}

# agreement.csv, a row a pair of splits and class: how differently its errors are spread
AGREEMENT = {
    "first": str,
    "second": str,
    "class": str,
    "first_errors": int,
    "second_errors": int,
    "distance": float,
    "distance_by_chance": float,
}
